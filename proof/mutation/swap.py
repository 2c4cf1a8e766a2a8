"""Puts a mutant's functions in the place of those already imported, where nothing else of the module differs. Must not know tests."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType

from proof.mutation.mutants import Mutant
from tests.world import ROOT

Swap = tuple[FunctionType, CodeType]


def module_of(file: str) -> str:
    """The module's name. file: below the root."""
    return file.removesuffix(".py").replace("/", ".")


def swaps_of(mutant: Mutant) -> list[Swap] | None:
    """The functions to change and their new code. None: the mutant differs where a module or a class is made, so it must be imported."""
    before, found = _as_it_is(mutant.file)
    try:
        after = compile(mutant.code, str(ROOT / mutant.file), "exec", dont_inherit=True)
    except SyntaxError:
        return None
    changed = _changed(before, after)
    if changed is None:
        return None
    swaps = [(found[old], new) for old, new in changed if old in found and len(old.co_freevars) == len(new.co_freevars)]
    return swaps if swaps and len(swaps) == len(changed) else None


@cache
def _as_it_is(file: str) -> tuple[CodeType, dict[CodeType, FunctionType]]:
    """The module's code, and its functions by theirs."""
    path = ROOT / file
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)
    return code, {function.__code__: function for function in _functions(importlib.import_module(module_of(file)))}


def _changed(before: CodeType, after: CodeType) -> list[tuple[CodeType, CodeType]] | None:
    """The functions that differ; None when what makes them differs too (a default, a decorator, a figure)."""
    if (before.co_code, before.co_names, _figures(before)) != (after.co_code, after.co_names, _figures(after)):
        return None
    pairs: list[tuple[CodeType, CodeType]] = []
    for old, new in zip(_inner(before), _inner(after), strict=True):
        if old.co_flags & inspect.CO_OPTIMIZED:
            pairs += [(old, new)] if old != new else []
        elif (inside := _changed(old, new)) is None:
            return None
        else:
            pairs += inside
    return pairs


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _figures(code: CodeType) -> list[str]:
    return [repr(each) for each in code.co_consts if not isinstance(each, CodeType)]


def _functions(place: object) -> Iterator[FunctionType]:
    """Of a module and its classes, decorated ones unwrapped."""
    for each in list(vars(place).values()):
        if inspect.isclass(each) and each.__module__ == getattr(place, "__name__", ""):
            yield from _methods(each)
        elif isinstance(each, FunctionType):
            yield inspect.unwrap(each)


def _methods(kind: type) -> Iterator[FunctionType]:
    for each in vars(kind).values():
        parts = (each.fget, each.fset) if isinstance(each, property) else (getattr(each, "__func__", each),)
        yield from (inspect.unwrap(part) for part in parts if isinstance(part, FunctionType))
