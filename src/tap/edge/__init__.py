"""`tap edge`: beside a camera or a group of cameras, for a witness that is far away."""
