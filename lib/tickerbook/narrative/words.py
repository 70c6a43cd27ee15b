"""What prose may not say of its own: numbers, dates, units, signs, symbols, names, advice, certainty."""

import re

_COUNTED = (
    r"(?:zero|nil|nought|naught|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twent|thirt|fort|fift|sixt|sevent|eight|ninet)(?:y|ie)"
    r"|hundred|thousand|million|billion|trillion|dozen|first|second|third|fourth|fifth|sixth|seventh|eighth"
    r"|ninth|tenth|eleventh|twelfth)"
)
_PERIOD = "(?:day|week|month|quarter|year|decade|morning|evening|weekend)"
_STARTS = r"(?:(?<![.!?:] )(?<!^)(?<![“\"(]))"  # not where a sentence starts, where any word has a capital

_BEGINNINGS = (  # a sentence may begin with these; another word with a capital there may be a name
    "a|about|above|across|after|against|all|although|among|an|and|another|any|are|as|at|average|before|behind|below"
    "|beside|between|beyond|both|but|buy|by|close|closes|commission|compared|conviction|costs|could|data|despite|did"
    "|distance|do|does|during|each|either|enough|entry|equity|even|every|evidence|exposure|few|figures|for|from|gains"
    "|given|had|has|have|here|history|how|if|in|inside|is|it|its|just|later|less|levels?|limits?|little|losses|luck"
    "|many|measured|more|moves?|near|nearby|neither|no|none|nor|nothing|now|odds|of|on|only|open|or|other|others|out"
    "|outside|over|past|perhaps|plans?|positions?|prices?|profit|rather|resistance|results?|returns?|reward|risk|rules?"
    "|sample|sessions|several|shares?|should|similar|since|size|slot|so|some|still|stops?|strategies|strategy|such"
    "|support|targets?|tested|than|that|the|their|then|there|these|they|this|those|though|thus|to|together|too|touches"
    "|trades|trading|under|unless|until|up|upon|value|volatility|was|were|what|whatever|when|where|whether|which|while"
    "|who|whose|why|with|within|without|would|yet|zones?|average|price"
)

_FORBIDDEN = {
    "spells out a number": [
        rf"(?i:\b(?:{_COUNTED}-?)+(?:ths?|e?s|fold|ly|ish)?\b)",
        r"(?i:\b(?:half|halves|halved|quarter(?:s|ly)?|once|twice|thrice|single|doubled?|doubles|dual)\b)",
        r"(?i:\b(?:couple|pair|tripled?|treble|quadruple|decades?|century|fortnight)\b)",
        r"(?i:\b[ivx]{2,}\b)",
    ],
    "names a date": [
        r"(?i:\b(?:january|february|april|june|july|august|september|october|november|december)s?\b)",
        r"(?i:\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b)",
        r"\b(?:May|March|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b",  # may and march are verbs too
        r"(?i:\b(?:in|of|since|until|by|early|late|mid|last|next)[ -](?:may|march)\b)",
        rf"(?i:\b(?:this|last|next|past|previous) {_PERIOD}s?\b)",
        r"(?i:\b(?:today|yesterday|tomorrow|tonight|nowadays)\b)",
    ],
    "names a unit": [r"(?i:\b(?:per ?cent|percentage|basis|bps|dollars?|cents?|euros?|yen)\b)"],
    "changes a sign": [r"(?i:\b(?:minus|plus)\b)", r"(?<![^\W\d_])-|-(?![^\W\d_])"],
    "names a symbol": [
        r"\b[^\W\d_]*[a-zß-öø-ÿ][A-ZÀ-ÖØ-Þ]",
        r"\b(?!ATR\b)[A-Z]{2,}\b|\b[B-Z]\b",
        rf"{_STARTS}\bA\b",
    ],
    "says what no fact says": [
        r"(?i:\b(?:cheap|expensive|bargain|discount|premium|overbought|oversold|undervalued|overvalued)\b)",
        r"(?i:\b(?:bull|bear)(?:s|ish)?\b|\b(?:momentum|trend(?:s|ing)?|breakouts?|highs|lows)\b)",
        r"(?i:\b(?:strong|weak|strength|weakness|popular|healthy|solid|attractive|promising|profitable)\b)",
        r"(?i:\b(?:broke|broken|breaks?|cleared|bounced?|retested|caps?|capped|confirm(?:s|ed)|opened)\b)",
        r"(?i:\b(?:has held|holds|chances?|probabilit(?:y|ies)|near|nearly|almost|around|close to)\b)",
        r"(?i:\b(?:made|lost|makes|loses) money\b|\b(?:price|share) tested\b)",
    ],
    "has a name": [rf"{_STARTS}\b(?!ATR\b)[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+"],
    "gives advice": [
        r"(?i:\b(?:you|yours?|we|us|ours?|should|must|recommend\w*|advi[sc]e\w*)\b)",
        r"(?i:\b(?:buy|buying|sell|selling)\b(?! and hold\b))",  # buy and hold is the benchmark
        r"(?i:\b(?:ought|needs? to|worth (?:buying|selling|holding|a look)|investors?|traders?|readers?)\b)",
        r"(?:^|[.!?:;] )(?:Hold|Wait|Take|Watch|Consider|Avoid|Enter|Exit|Add|Reduce|Keep|Set|Place|Look)\b",
        r"(?:^|[.!?:;] )(?:Do not|Don[’']t|Let|Remember|Beware|Trade|Go|Stay)\b",
    ],
    "is too sure": [
        r"(?i:\b(?:will|won[’']t|shall|certain(?:ly|ty)?|definite(?:ly)?|surely|never|always|proven|proves?)\b)",
        r"(?i:\b(?:going|about|bound|set|sure|expected|destined|poised|ready|likely) to\b)",
        r"(?i:\b(?:no doubt|without doubt|forecasts?|predicts?|predicted|cannot (?:fail|lose))\b)",
        r"(?i:\b(?:guarantee|inevitabl|undoubted|undeniabl|risk-free)\w*)",
    ],
    "begins with what may be a name": [
        rf"(?:^|[.!?:;] )[“\"(]?(?!(?i:{_BEGINNINGS})\b)(?![A-Z][a-z]+ly,)[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ’'-]*"
    ],
}

FORBIDDEN = {fault: re.compile("|".join(patterns)) for fault, patterns in _FORBIDDEN.items()}
"""What a sentence would do, as the end of "it …" → a pattern that finds it in the words around its slots."""
