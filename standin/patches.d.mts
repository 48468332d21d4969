export function isPatched(path: string): boolean;
export function patch(source: string): string;
