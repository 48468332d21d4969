"""Ed25519 keys: one to sign with, which stays at home, and one to check with, for everybody."""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_RAW = 32


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The key to check with, 32 bytes."""

    raw: bytes

    @property
    def hex(self) -> str:
        """As 64 hexadecimal digits."""
        return self.raw.hex()

    @property
    def id(self) -> str:
        """A short name to compare by eye: the first 16 digits of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is that of this key's owner under `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def pem(self) -> str:
        """As a PEM file holds it."""
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode("ascii")

    @classmethod
    def read(cls, text: str) -> "PublicKey":
        """From 64 hexadecimal digits or a PEM text. Raises `ValueError` in words."""
        plain = text.strip()
        try:
            if plain.startswith("-----BEGIN"):
                key = serialization.load_pem_public_key(plain.encode("ascii"))
                if not isinstance(key, Ed25519PublicKey):
                    raise ValueError("a key of another kind")
                raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            else:
                raw = bytes.fromhex(plain)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError(
                "expected an Ed25519 public key (a PEM file or 64 hexadecimal digits), got "
                "something else"
            ) from error
        if len(raw) != _RAW:
            raise ValueError(f"expected a public key of {_RAW} bytes, got {len(raw)}")
        return cls(raw)


class Signer:
    """The key to sign with."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(
            key.public_key().public_bytes(
                serialization.Encoding.Raw, serialization.PublicFormat.Raw
            )
        )

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(message)

    def pem(self) -> bytes:
        """As a PEM file holds it, unencrypted."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @classmethod
    def make(cls) -> "Signer":
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, pem: bytes) -> "Signer":
        """From a PEM text. Raises `ValueError` in words."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("expected an unencrypted private key in PEM form") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("expected an Ed25519 private key, got another")  # noqa: TRY004
        return cls(key)
