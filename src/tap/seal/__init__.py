"""The seal: what makes it show when a session's record was altered, cut or mixed up.

Pure: bytes in, bytes and findings out; no file, no clock, no network.
"""

from tap.seal.chain import Chain, ChainState, Opening, Seal, Statement, parse
from tap.seal.check import SealCheck, check
from tap.seal.found import Gap, SealFault, SealProblem
from tap.seal.keys import PublicKey, Signer
from tap.seal.merkle import Tree
from tap.seal.record import Record, canonical

__all__ = [
    "Chain",
    "ChainState",
    "Gap",
    "Opening",
    "PublicKey",
    "Record",
    "Seal",
    "SealCheck",
    "SealFault",
    "SealProblem",
    "Signer",
    "Statement",
    "Tree",
    "canonical",
    "check",
    "parse",
]
