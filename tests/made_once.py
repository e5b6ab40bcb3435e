"""What every app of a run would make again alike is made once: its compiled pages and the compiled addresses of its rules.

A test opens an app of its own, and of the second that this took, with the first page, four fifths were Jinja and Werkzeug compiling
the same texts to the same code. Kept here is code alone: each app runs it over its own objects, as it would run what it compiled itself.
"""

from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


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
    """Let all apps of this process share compiled templates and builders of addresses."""
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": CodeInMemory()}
    _share_builders()


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
