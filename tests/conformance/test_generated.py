"""The generator of histories, and how one is made smaller."""

from conformance.generated import describe, make_history, shrink
from conformance.scenario import Step


def test_a_history_is_made_from_its_seed_and_number_alone() -> None:
    assert make_history(1, 7) == make_history(1, 7)
    assert make_history(1, 7) != make_history(1, 8)
    assert make_history(1, 7) != make_history(2, 7)


def test_histories_have_three_to_eight_commands_with_a_look_after_each() -> None:
    for number in range(200):
        commands = [step.command for step in make_history(1, number)]
        assert 3 <= len(commands) / 2 <= 8
        assert set(commands[1::2]) == {"info"}


def test_every_command_and_every_kind_of_file_comes_up() -> None:
    steps = [step for number in range(100) for step in make_history(1, number)]

    assert {step.command for step in steps} == {"migrate", "validate", "repair", "baseline", "info", "clean"}
    names = [name for step in steps for name in step.write]
    assert {name[0] for name in names} == set("VRBab")
    assert any(name.endswith(".conf") for name in names)
    assert any(step.remove for step in steps)


def test_a_smaller_history_has_only_what_makes_the_difference() -> None:
    wanted = Step(command="repair", write={"V1__a.sql": b"1", "V2__b.sql": b"2"}, options={"a": "1", "b": "2"})
    steps = (Step(command="migrate", write={"V0__z.sql": b"0"}, sql="setup;"), wanted, Step(command="info"))

    def differs(smaller: tuple[Step, ...]) -> bool:
        return any(step.command == "repair" and "V2__b.sql" in step.write for step in smaller)

    (left,) = shrink(steps, differs)

    assert left == Step(command="repair", write={"V2__b.sql": b"2"}, sql="setup;")


def test_what_a_step_that_is_left_out_has_laid_out_comes_with_the_next() -> None:
    steps = (
        Step(command="migrate", write={"V1__a.sql": b"1", "V2__b.sql": b"2"}),
        Step(command="repair", remove=("V2__b.sql",)),
    )

    def differs(smaller: tuple[Step, ...]) -> bool:
        return bool(smaller) and smaller[-1].command == "repair" and any(step.write for step in smaller)

    (left,) = shrink(steps, differs)

    assert left == Step(command="repair", write={"V1__a.sql": b"1"})


def test_a_history_can_be_read_by_people() -> None:
    step = Step(
        command="migrate",
        write={"V1__a.sql": b"select 1;"},
        remove=("R__r.sql",),
        sql="x",
        options={"group": "true"},
    )

    assert describe([step]) == (
        "1. migrate -group=true\n     sql    x\n     remove R__r.sql\n     write  V1__a.sql: 'select 1;'"
    )
