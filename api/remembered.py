"""An answer that many ask for at once is looked for once, and serves for a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, ParamSpec, TypeVar

Question = ParamSpec("Question")
Answer = TypeVar("Answer")


class Remembered(Generic[Question, Answer]):
    """A function whose answers are kept by its arguments, each forgotten `seconds` after it was found.

    A failure goes to those who wait for it, and to no other.
    """

    def __init__(self, find: Callable[Question, Awaitable[Answer]], seconds: float) -> None:
        self._find = find
        self._seconds = seconds
        self._looks: dict[object, asyncio.Task[Answer]] = {}

    async def __call__(self, *args: Question.args, **kwargs: Question.kwargs) -> Answer:
        """The answer; who asks while it is being looked for waits for the same one."""
        key = (args, frozenset(kwargs.items()))
        look = self._looks.get(key)
        if look is None:
            look = asyncio.create_task(self._look(key, *args, **kwargs))
            self._looks[key] = look
        # Whoever goes away leaves the look to the others.
        return await asyncio.shield(look)

    async def _look(self, key: object, *args: Question.args, **kwargs: Question.kwargs) -> Answer:
        remembered_s = 0.0
        try:
            answer = await self._find(*args, **kwargs)
            remembered_s = self._seconds
            return answer
        finally:
            asyncio.get_running_loop().call_later(remembered_s, self._looks.pop, key, None)
