"""What every test's app and database would make again alike is made once in a process: compiled pages, addresses and statements.

A house that serves compiles each of these once. A test opens an app and an engine of its own, and most of its time went by while Jinja,
Werkzeug and SQLAlchemy compiled the same texts again. Kept here is what was compiled alone: each app and each engine runs it over its
own objects, as it would run what it compiled itself.
"""

from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import ClauseElement, util
from werkzeug.routing import Rule

STATEMENTS_KEPT = 4000


class CodeInMemory(BytecodeCache):
    """Jinja's cache of compiled templates, in this process. Jinja keys by name and file and compares the source itself."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template whose source has not changed its code."""
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template just compiled."""
        if bucket.code is not None:
            self._known[bucket.key, bucket.checksum] = bucket.code


def compile_once() -> None:
    """Let all apps of this process share compiled templates and builders of addresses, and all engines of a kind compiled statements."""
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": CodeInMemory()}
    _share_builders()
    _share_statements()


def _share_builders() -> None:
    """A builder is a function of the rule's text and parts alone and is handed its rule; one with defaults is made as ever."""
    known: dict[Any, Any] = {}
    compiled = Rule._compile_builder

    def builder(self: Rule, append_unknown: bool = True) -> Any:
        if self.defaults:
            return compiled(self, append_unknown)
        key = (self.rule, tuple(self._trace), append_unknown)
        if key not in known:
            known[key] = compiled(self, append_unknown)
        return known[key]

    Rule._compile_builder = builder  # type: ignore[method-assign]


class Statements(util.LRUCache[Any, Any]):
    """SQLAlchemy's cache of compiled statements, its key led by the kind of dialect instead of the dialect of one engine."""

    def get(self, key: Any, default: Any = None) -> Any:
        """What was compiled for an engine of this kind."""
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Keep it for all engines of this kind."""
        super().__setitem__((type(key[0]), *key[1:]), value)


def _share_statements() -> None:
    """The engines of a kind are all opened alike (`open_engine`), on servers of one version: what one has compiled fits all."""
    statements = Statements(STATEMENTS_KEPT)
    compiled = ClauseElement._compile_w_cache

    def compile_with_cache(self: ClauseElement, dialect: Any, *, compiled_cache: Any, **how: Any) -> Any:
        return compiled(self, dialect, compiled_cache=None if compiled_cache is None else statements, **how)

    ClauseElement._compile_w_cache = compile_with_cache  # type: ignore[method-assign]
