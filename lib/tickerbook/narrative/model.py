"""The model narrator: a server that speaks the OpenAI protocol writes, and code decides what of it stands."""

import json
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, ValidationError

from tickerbook.errors import NarrativeError
from tickerbook.facts import Facts
from tickerbook.files import digest
from tickerbook.narrative.draft import Draft, Part
from tickerbook.narrative.policy import sift
from tickerbook.narrative.prompt import PARTS, SCHEMA, complaint, messages
from tickerbook.narrative.style import Style

_LONGEST = 20_000  # characters of an answer
_FAILING = 1 / 3  # of a draft's sentences; with more of them refused it is asked for anew
_BREAKS = 3  # failures of the server in a row, after which it is left alone for the rest of the run
_MINUTE = 60.0
_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL)


class ModelError(NarrativeError):
    """No draft of the model is worth keeping.

    Attributes:
        attempts: a record of each answer.
    """

    def __init__(self, message: str, attempts: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.attempts = attempts


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    sentences: list[str]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    parts: list[_Part]


class ModelNarrator:
    """Asks a server for drafts; one for a run, shared by all tickers.

    Args:
        base_url: the server's address; empty for OpenAI's.
        key: its key.
        style: the house style, which has the model's name, limits and budget.
        sleep: waits some seconds, for the rate limit.

    Attributes:
        name: what pages call it.
        used: tokens used so far.
    """

    def __init__(
        self, base_url: str, key: str, style: Style, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.params, self._style, self._sleep = style.model, style, sleep
        self.name = f"model {style.model.name}"
        self.used = 0
        self._base_url = base_url
        self._client = openai.OpenAI(
            base_url=base_url or None,
            api_key=key or "none",
            timeout=self.params.timeout,
            max_retries=self.params.retries,
        )
        self._lock = threading.Lock()
        self._broken = 0
        self._next_at = 0.0
        self._structured = True

    def key(self, facts: Facts) -> str:
        """Digest of all that could change its prose: facts, prompt, style, model, server."""
        asked = messages(facts, self._style, ())
        return digest(json.dumps([asked, facts.digest, self.params.name, self._base_url, SCHEMA]))

    def write(self, facts: Facts, spare: Draft) -> tuple[Draft, list[dict[str, Any]]]:
        """A draft of which most sentences pass, and a record of each answer.

        Raises:
            ModelError: if the server fails, the budget is spent, or every draft is refused.
        """
        told, attempts = messages(facts, self._style, spare), list[dict[str, Any]]()
        for _ in range(1 + self.params.regenerations):
            answer = self._asked(told, attempts)
            try:
                draft = read(answer, self._style)
            except NarrativeError as error:
                reasons = [error.message]
            else:
                _, verdicts = sift(draft, facts, spare, self._style.faults)
                reasons = [f"it {v.reasons[0]}: {v.sentence}" for v in verdicts if v.reasons]
                if len(reasons) <= _FAILING * len(verdicts):
                    return draft, attempts
            attempts[-1]["refused"] = reasons[0]
            told = [*told[:2], {"role": "assistant", "content": answer[:_LONGEST]}]
            told.append({"role": "user", "content": complaint(reasons)})
        # why is in the attempts: what was refused has no place on a page
        raise ModelError("The model's drafts were refused.", attempts)

    def _asked(self, told: list[dict[str, str]], attempts: list[dict[str, Any]]) -> str:
        self._admit(attempts)
        try:
            reply = self._sent(told)
            choice = reply.choices[0]
            answer = choice.message.content or ""
        except (openai.OpenAIError, IndexError, AttributeError, TypeError, ValueError) as error:
            with self._lock:
                self._broken += 1
            raise ModelError(f"The model did not answer: {type(error).__name__}.", attempts) from error
        usage = reply.usage.total_tokens if reply.usage else 0
        with self._lock:
            self._broken, self.used = 0, self.used + usage
        attempts.append({"answer": answer[:_LONGEST], "tokens": usage, "refused": ""})
        if choice.finish_reason != "stop" or getattr(choice.message, "refusal", None):
            attempts[-1]["refused"] = f"it ended with {choice.finish_reason}"
            return ""
        return answer

    def _sent(self, told: list[dict[str, str]]) -> Any:
        """The server's reply; asked for plain JSON where it knows no schemas."""
        format_: Any = {
            "type": "json_schema",
            "json_schema": {"name": "draft", "strict": True, "schema": SCHEMA},
        }
        asked: Any = {"model": self.params.name, "messages": told}
        if self._structured:
            try:
                return self._client.chat.completions.create(**asked, response_format=format_)
            except (openai.BadRequestError, openai.UnprocessableEntityError):
                self._structured = False
        return self._client.chat.completions.create(**asked)

    def _admit(self, attempts: list[dict[str, Any]]) -> None:
        """Wait for this request's turn.

        Raises:
            ModelError: if the budget is spent, or the server has failed too often.
        """
        with self._lock:
            if self.used >= self.params.tokens:
                raise ModelError("The model's budget of this run is spent.", attempts)
            if self._broken >= _BREAKS:
                raise ModelError("The model's server fails and is left alone.", attempts)
            at = time.monotonic()
            wait = max(0.0, self._next_at - at)
            self._next_at = max(at, self._next_at) + _MINUTE / self.params.per_minute
        if wait:
            self._sleep(wait)


def read(answer: str, style: Style) -> Draft:
    """The draft in an answer, its text mended by the style.

    Raises:
        NarrativeError: if the answer is too long, is no JSON, has another shape, or nothing in it.
    """
    if len(answer) > _LONGEST:
        raise NarrativeError(f"the answer has more than {_LONGEST} characters")
    fenced = _FENCE.match(answer)
    try:
        parsed = _Answer.model_validate_json(fenced[1] if fenced else answer)
    except ValidationError as error:
        raise NarrativeError("the answer is not the JSON that was asked for") from error
    parts: dict[str, list[str]] = {}
    for part in parsed.parts:
        if part.name not in PARTS:
            raise NarrativeError("the answer has a part that was not asked for")
        parts.setdefault(part.name, []).extend(style.mended(s.strip()) for s in part.sentences)
    most = style.paragraph_sentences
    draft = tuple(Part(n, PARTS[n], tuple(parts[n][:most])) for n in PARTS if parts.get(n))
    if not draft:
        raise NarrativeError("the answer has no sentence")
    return draft


def project_model(project: Path, style: Style) -> ModelNarrator | None:
    """The model of a project, where OPENAI_BASE_URL or OPENAI_API_KEY is set: in the environment, or .env."""
    path = project / ".env"
    given = dotenv_values(path, interpolate=False) if path.is_file() else {}
    base_url, key, name = (
        os.environ.get(variable) or given.get(variable) or ""
        for variable in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL")
    )
    if not base_url and not key:
        return None
    if name:
        style = style.model_copy(update={"model": style.model.model_copy(update={"name": name})})
    return ModelNarrator(base_url, key, style)
