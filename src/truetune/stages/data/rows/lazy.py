"""Sequences whose items are made when they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class Lazy(Sequence[T]):
    """A sequence of which a slice is a list; a kind of it says how one item is made, and may say how several are made faster."""

    @abstractmethod
    def _item(self, place: int) -> T:
        """The item at a place that there is, from 0."""

    def _items(self, places: range) -> list[T]:
        """The items at places that there are."""
        return [self._item(place) for place in places]

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        """An item, or the items of a slice as a list."""
        places = range(len(self))[index]
        return self._items(places) if isinstance(places, range) else self._item(places)
