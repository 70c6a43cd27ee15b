"""The client that begins as soon as a kernel answers: what it waits for, and when it gives up."""

import asyncio
from queue import Empty

import pytest

from tickerbook.runs.client import QuickClient

REPLY = {"msg_type": "kernel_info_reply", "content": {"protocol_version": "5.3"}}


class Pretending(QuickClient):
    """A client of a kernel that says what it is told to say."""

    def __init__(self, shell, iopub, *, alive=True):
        super().__init__()
        self.says = {"shell": iter(shell), "iopub": iter(iopub)}
        self.alive = alive
        self.asked = 0

    def kernel_info(self):
        self.asked += 1

    async def told(self, channel):
        await asyncio.sleep(0)
        message = next(self.says[channel], None)
        if message is None:
            raise Empty
        return message

    async def get_shell_msg(self, timeout):  # noqa: ARG002, ASYNC109 - as Jupyter calls it
        return await self.told("shell")

    async def get_iopub_msg(self, timeout):  # noqa: ARG002, ASYNC109 - likewise
        return await self.told("iopub")

    async def _async_is_alive(self):
        return self.alive


def test_it_begins_with_the_first_answer_that_can_be_heard():
    """One question, one answer, one message on the channel of outputs."""
    client = Pretending([REPLY], [{"msg_type": "status"}])
    asyncio.run(client.wait_for_ready(timeout=60))
    assert client.asked == 1


def test_an_answer_is_not_enough_while_outputs_cannot_be_heard():
    """Else the first cell's output would be lost."""
    client = Pretending([REPLY, REPLY], [None, {"msg_type": "status"}])
    asyncio.run(client.wait_for_ready(timeout=60))
    assert client.asked == 2


def test_another_answer_is_not_the_one():
    """Something else on the channel is passed over."""
    client = Pretending([{"msg_type": "execute_reply"}, REPLY], [{"msg_type": "status"}] * 2)
    asyncio.run(client.wait_for_ready(timeout=60))
    assert client.asked == 2


@pytest.mark.parametrize(("alive", "timeout", "told"), [(False, 60, "died"), (True, 0.01, "did not answer")])
def test_it_gives_up(alive, timeout, told):
    """When the kernel is dead, or time is up."""
    with pytest.raises(RuntimeError, match=told):
        asyncio.run(Pretending([], [], alive=alive).wait_for_ready(timeout=timeout))
