"""House style: params/style.toml, told to a model, held against prose, mended where that is mechanical."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tickerbook.errors import ConfigError

_FILE = "style.toml"
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÀ-Þ“\"(])")
_NO_PROSE = re.compile(r"^(?:\||#|```|---|<|\[.*\]:|!\[| {4})")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ModelParams(_Strict):
    """`[model]`: which model writes, and what it may cost.

    Attributes:
        name: as the server calls it.
        timeout: seconds that one request may take.
        retries: how often a request is repeated that met a busy or failing server.
        regenerations: how often a refused draft is asked for anew.
        at_once: requests at the same time.
        per_minute: requests in a minute, at most.
        tokens: of a run, at most; then the plain narrator writes.
    """

    name: str = "gpt-4o-mini"
    timeout: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    retries: int = Field(default=2, ge=0, le=5)
    regenerations: int = Field(default=2, ge=0, le=2)
    at_once: int = Field(default=4, ge=1, le=32)
    per_minute: int = Field(default=60, ge=1)
    tokens: int = Field(default=500_000, ge=0)


class Style(_Strict):
    """style.toml as written.

    Attributes:
        tone: how it sounds, as told to a model.
        audience: for whom it is, as told to a model.
        banned: words and phrases that are not used.
        replaced: text → what stands for it; a mechanical fix.
        sentence_words: words of a sentence, at most; a slot counts as one.
        paragraph_sentences: sentences of a part, at most.
        disclaimer: the last line below every narrative; empty for none.
        model: which model writes.
    """

    tone: str = "calm, exact, plain"
    audience: str = "people who trade and know the words of the trade"
    banned: list[str] = []
    replaced: dict[str, str] = {}
    sentence_words: int = Field(default=120, ge=5)
    paragraph_sentences: int = Field(default=12, ge=1)
    disclaimer: str = ""
    model: ModelParams = ModelParams()

    def mended(self, text: str) -> str:
        """The text with what is replaced mechanically."""
        for old, new in self.replaced.items():
            text = text.replace(old, new)
        return re.sub(r" +([,.;:!?])", r"\1", re.sub(r" {2,}", " ", text))

    def faults(self, sentence: str) -> Iterator[str]:
        """What a sentence has against the style, as ends of "it …"."""
        for word in self.banned:
            if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", sentence, re.IGNORECASE):
                yield f"uses “{word}”, which the style bans"
        for old in self.replaced:
            if old in sentence:
                yield f"has “{old}”, for which the style has “{self.replaced[old]}”"
        if (words := len(sentence.split())) > self.sentence_words:
            yield f"has {words} words; the style allows {self.sentence_words}"

    def told(self) -> str:
        """The style in words, for a prompt."""
        banned = f" Do not use: {', '.join(self.banned)}." if self.banned else ""
        return (
            f"Tone: {self.tone}. Audience: {self.audience}. At most {self.sentence_words} words a sentence "
            f"and {self.paragraph_sentences} sentences a part.{banned}"
        )


def load_style(project: Path) -> Style:
    """The style of a project; the defaults where it has none.

    Raises:
        ConfigError: names the key and what does not fit.
    """
    path = project / "params" / _FILE
    if not path.exists():
        return Style()
    try:
        return Style.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(f"params/{_FILE}: {key}: {first['msg']}.", "See its comments.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"params/{_FILE} is not readable TOML: {error}.", "Mend it.") from error


def check_markdown(text: str, style: Style) -> Iterator[tuple[int, str]]:
    """Line and fault of every sentence of Markdown that is against the style; code is left alone."""
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced or _NO_PROSE.match(line):
            continue
        for sentence in _SENTENCE.split(re.sub(r"`[^`]*`", "code", line.strip())):
            for fault in style.faults(sentence):
                yield number, fault
