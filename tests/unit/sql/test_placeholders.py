import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.errors import UnknownPlaceholder
from taxiway.model.rules import Placeholders
from taxiway.secret import Secret
from taxiway.sql.placeholders import replace


def replaced(
    source: str, *, prefix: str = "${", suffix: str = "}", filename: str | None = None, **values: str
) -> str:
    placeholders = Placeholders(values=values, prefix=prefix, suffix=suffix)
    return replace(source, placeholders, path="V1__x.sql", filename=filename).text


def error(source: str, placeholders: Placeholders, filename: str | None = None) -> UnknownPlaceholder:
    with pytest.raises(UnknownPlaceholder) as caught:
        replace(source, placeholders, path="V1__x.sql", filename=filename)
    return caught.value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("${a}", "1"),
        ("x${a}y${a}z", "x1y1z"),
        ("${a}${a}", "11"),
        ("-- ${a}\n'${a}' \"${a}\" /* ${a} */ $q$ ${a}$q$", "-- 1\n'1' \"1\" /* 1 */ $q$ 1$q$"),
        ("{a} $a $ {a} $}", "{a} $a $ {a} $}"),
        ("ends with $", "ends with $"),
        ("${a} ends with $", "1 ends with $"),
    ],
)
def test_a_placeholder_is_replaced_wherever_it_stands(source: str, expected: str) -> None:
    assert replaced(source, a="1") == expected


def test_names_are_looked_up_regardless_of_case() -> None:
    assert replaced("${Table_Name} ${TABLE_NAME}", tABLE_nAME="t") == "t t"


def test_names_are_not_trimmed() -> None:
    assert replace("${ a }", Placeholders(values={" a ": "1"}), path="x").text == "1"
    assert "'${ a }'" in error("${ a }", Placeholders(values={"a": "1"})).message


def test_values_are_not_looked_at_again() -> None:
    assert replaced("${a}", a="${b}", b="2") == "${b}"
    assert replaced("${a}{b}", a="$", b="2") == "${b}"


def test_an_empty_value_removes_the_placeholder() -> None:
    assert replaced("x${a}y", a="") == "xy"


@pytest.mark.parametrize("run", range(1, 9))
def test_an_even_run_of_dollars_hides_the_placeholder(run: int) -> None:
    """The accident of Flyway 13's read-ahead that people use as an escape."""
    before = "$" * (run - 1)
    expected = f"{before}1" if run % 2 else f"{before}${{a}}"
    assert replaced(f"x {before}${{a}}", a="1") == f"x {expected}"


def test_a_placeholder_right_behind_a_tagged_dollar_quote_is_not_replaced() -> None:
    assert replaced("$tag$${a}$tag$", a="1") == "$tag$${a}$tag$"
    assert replaced("$$${a}$$", a="1") == "$$1$$"


def buffered(source: str, prefix: str, suffix: str, value: str) -> str:
    """Flyway 13's read-ahead, written down character by character as PlaceholderReplacingReader works."""
    characters = iter(source)
    output: list[str] = []
    buffer = ""
    while True:
        if buffer:
            output.append(buffer[0])
            buffer = buffer[1:]
            continue
        while buffer != prefix and prefix.startswith(buffer):
            character = next(characters, None)
            if character is None:
                break
            buffer += character
        if not buffer:
            return "".join(output)
        if buffer == prefix:
            buffer = name = ""
            while not name.endswith(suffix):
                name += next(characters)
            output.append(value)


@given(
    st.lists(st.sampled_from(["$", "{", "}", "a", "${", "<", "<<", "<<$", "-"]), max_size=20).map("".join),
    st.sampled_from(["${", "$", "$$", "<<$", "$<$", "<<<", "${{"]),
)
def test_any_prefix_is_found_as_by_flyways_buffer(source: str, prefix: str) -> None:
    source += "}"  # so that every placeholder has an end
    names = re.findall(r"(?=([^}]*))", source)
    placeholders = Placeholders(values=dict.fromkeys(names, "<$value$>"), prefix=prefix, suffix="}")
    assert replace(source, placeholders, path="x").text == buffered(source, prefix, "}", "<$value$>")


def test_prefix_and_suffix_can_be_chosen() -> None:
    assert replaced("%%a%% ${a}", prefix="%%", suffix="%%", a="1") == "1 ${a}"


def test_nothing_is_replaced_when_switched_off() -> None:
    placeholders = Placeholders(values={"a": "1"}, enabled=False)
    assert replace("${a} ${unknown} ${", placeholders, path="x").text == "${a} ${unknown} ${"


def test_a_secret_is_revealed_in_the_text_only() -> None:
    result = replace("PASSWORD '${pw}'", Placeholders(values={"pw": Secret("s3cret")}), path="x")
    assert result.text == "PASSWORD 's3cret'"
    assert "s3cret" not in repr(result)


def test_built_in_placeholders_win_over_values_of_the_user() -> None:
    placeholders = Placeholders(values={"FLYWAY:table": "mine"}, built_in={"flyway:table": "history"})
    assert replace("${flyway:table}", placeholders, path="x").text == "history"


def test_filename_is_the_name_of_the_file() -> None:
    assert replaced("${flyway:filename}", filename="V1__x.sql") == "V1__x.sql"
    placeholders = Placeholders(separator=".")
    assert replace("${flyway.filename}", placeholders, path="x", filename="R__a.sql").text == "R__a.sql"


def test_filename_is_unknown_without_a_name() -> None:
    assert "is not one of the built-in ones" in error("${flyway:filename}", Placeholders()).message


def test_an_unknown_name_is_an_error_with_its_place_in_the_source() -> None:
    caught = error("${long}\n  -- ${nope}", Placeholders(values={"long": "a\nb\nc"}))
    assert str(caught) == "V1__x.sql:2:6: Placeholder '${nope}' has no value."
    assert (caught.path, caught.line, caught.column) == ("V1__x.sql", 2, 6)


def test_the_hint_names_the_three_ways_out() -> None:
    hint = error("${nope}", Placeholders()).hint or ""
    ways_out = ("placeholders.NAME", "--placeholder", "[flyway.placeholders]", "placeholderReplacement=false")
    for way_out in (*ways_out, "placeholderPrefix"):
        assert way_out in hint


@pytest.mark.parametrize("typo", ["READ_ONLY_PASWORD", "read_only_pasword", " READ_ONLY_PASSWORD "])
def test_a_near_miss_is_pointed_out(typo: str) -> None:
    hint = error(f"${{{typo}}}", Placeholders(values={"READ_ONLY_PASSWORD": Secret("s3cret")})).hint or ""
    assert hint.startswith("Did you mean '${READ_ONLY_PASSWORD}'? Set placeholders.NAME")
    assert "s3cret" not in hint


def test_a_near_miss_among_the_built_in_ones_is_pointed_out() -> None:
    hint = error("${flyway:tabel}", Placeholders(built_in={"flyway:table": "h"})).hint or ""
    assert hint.startswith("Did you mean '${flyway:table}'?")


def test_a_prefix_without_suffix_is_an_error_at_its_place() -> None:
    caught = error("select 1;\nselect '${a';\n" + "x" * 1000, Placeholders(values={"a": "1"}))
    assert (caught.line, caught.column) == (2, 9)
    assert str(caught) == "V1__x.sql:2:9: Placeholder '${a';…' is not closed: there is no '}' behind it."
    assert (caught.hint or "").startswith("Close it with '}'.")


def test_a_long_name_is_shown_in_part() -> None:
    assert len(error("${" + "x" * 1000 + "}", Placeholders()).message) < 100


@given(
    st.lists(
        st.one_of(st.sampled_from(["${a}", "${long}", "${empty}", "$$", "\n"]), st.text("xyz}\n", max_size=5)),
        max_size=12,
    )
)
def test_every_offset_leads_back_to_where_its_character_came_from(pieces: list[str]) -> None:
    source = "".join(pieces)
    values = {"a": "1", "long": "v\nv\nv", "empty": ""}
    result = replace(source, Placeholders(values=values), path="x")
    inside = {o: r.source_start for r in result.replacements for o in range(r.start, r.end)}
    for offset, character in enumerate(result.text):
        if offset in inside:
            assert result.source_offset(offset) == inside[offset]
            assert source.startswith("${", inside[offset])
        else:
            assert source[result.source_offset(offset)] == character
    assert result.source_offset(len(result.text)) == len(source)
