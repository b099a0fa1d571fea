"""Matching messages against examples in which `<name>` stands for a value: the same name, the same value."""

from typing import Any

FREE = {"<any>", "<time>", "<op>", "<task>", "<position>"}
"""Names that need not mean the same value twice."""


def match_pattern(pattern: Any, value: Any, bound: dict[str, Any], place: str = "message") -> None:
    """Assert that a value is like the example; names met for the first time are bound to what stands there."""
    if isinstance(pattern, str) and pattern.startswith("<"):
        if pattern == "<number>":
            assert isinstance(value, int | float), f"{place}: {value!r} is no number"
        elif pattern not in FREE:
            assert bound.setdefault(pattern, value) == value, f"{place}: {value!r} is not {bound[pattern]!r}"
    elif isinstance(pattern, dict):
        assert isinstance(value, dict), f"{place}: {value!r} is no object"
        assert set(value) == set(pattern), f"{place}: fields {sorted(value)} are not {sorted(pattern)}"
        for name in pattern:
            match_pattern(pattern[name], value[name], bound, f"{place}.{name}")
    elif isinstance(pattern, list):
        assert len(value) == len(pattern), f"{place}: {value!r}"
        for number, (one, other) in enumerate(zip(pattern, value, strict=True)):
            match_pattern(one, other, bound, f"{place}[{number}]")
    else:
        assert value == pattern, f"{place}: {value!r} is not {pattern!r}"


def fill(pattern: Any, bound: dict[str, Any]) -> Any:
    """Return the example with its names replaced by their values."""
    if isinstance(pattern, dict):
        return {name: fill(value, bound) for name, value in pattern.items()}
    return bound.get(pattern, pattern) if isinstance(pattern, str) else pattern
