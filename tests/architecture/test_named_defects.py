"""The defects of the template that Taxiway was made from, and the tests that hold each of them away.

Numbers and words are those of the product's description. A defect of a part that Taxiway does not have yet is not here.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]

DEFECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "1 The container exits 0 after a failed migration": (
        "e2e/test_the_main_job.py::test_main_again_develop_broken",
        "e2e/test_result_line.py::test_a_failed_migration_says_how_far_it_came",
        "e2e/test_signals.py::test_a_stop_at_any_moment_ends_with_its_own_exit_code",
    ),
    "2 A task that never started, failed, or ran long is misreported": (
        "e2e/test_task.py::test_run_list_logs_attach_stop",
        "e2e/test_task_troubles.py::test_a_failure_has_the_engines_exit_code",
        "e2e/test_task_troubles.py::test_a_contradiction_is_no_success",
        "e2e/test_task_troubles.py::test_an_end_without_a_result_is_no_success",
        "e2e/test_task_troubles.py::test_a_success_of_another_branch_is_none",
        "e2e/test_task_troubles.py::test_a_task_that_may_not_be_watched_is_not_told_to_be_one_that_was_not_started",
        "e2e/test_task_troubles.py::test_an_image_that_is_not_there",
        "e2e/test_task_troubles.py::test_a_secret_that_the_execution_role_may_not_read",
        "e2e/test_task_troubles.py::test_a_task_that_is_killed_for_memory",
        "e2e/test_task_troubles.py::test_a_success_of_which_ecs_knows_no_exit_code_is_none",
        "unit/ops/test_watch_task.py::test_there_is_no_limit_of_time",
    ),
    "3 Logs are shown only after the end, and not at all when waiting timed out": (
        "e2e/test_task.py::test_run_list_logs_attach_stop",
        "unit/ops/test_watch_task.py::test_a_time_limit_does_not_hide_the_log",
    ),
    "4 Passwords travel as arguments; branch names are split and evaluated": (
        "e2e/test_canary_secrets.py::test_no_secret_is_anywhere_where_it_was_not_asked_for",
        "e2e/test_canary_secrets.py::test_the_search_finds_what_a_command_leaks",
        "e2e/test_canary_secrets.py::test_no_token_is_anywhere_but_on_its_way_to_the_server",
        "e2e/test_bad_input.py::test_a_branch_name_is_never_an_option_or_a_command",
        "e2e/test_task_troubles.py::test_a_wrong_name_is_an_error_before_anything_is_started",
    ),
    "5 Whoever answers is github.com": (
        "e2e/test_bad_input.py::test_the_host_is_not_the_one_we_know",
        "e2e/test_bad_input.py::test_without_pinned_keys_only_github_is_known",
        "integration/sources/test_known_hosts.py::test_the_shipped_host_keys_have_the_fingerprints_that_github_publishes",
    ),
    "6 Permissions on every resource; one role for two jobs": (
        "e2e/test_task_rights.py::test_the_policy_is_enough_and_nothing_in_it_is_too_much",
        "e2e/test_task_troubles.py::test_a_secret_that_the_execution_role_may_not_read",
        "unit/infra/test_template.py::test_no_statement_is_about_everything_but_those_with_a_reason",
        "unit/infra/test_template.py::test_the_two_roles_of_a_task_are_two_and_share_nothing",
        "e2e/test_terraform_and_cloudformation.py::test_roles_policies_and_container_are_the_same",
    ),
    "7 The master password lands in the state; no encryption; the second destroy fails": (
        "e2e/test_terraform_story.py::test_tasks_run_on_what_terraform_makes_and_it_is_destroyed_twice",
        (
            "unit/infra/test_template.py::"
            "test_a_database_of_its_own_is_encrypted_protected_backed_up_and_leaves_a_snapshot"
        ),
        "unit/infra/test_terraform.py::test_every_input_and_output_is_described_and_no_secret_is_an_input",
    ),
    "8 Port 22 is open to the world; the private key is left on disk when the tunnel is interrupted": (
        "unit/infra/test_template.py::test_no_way_in_is_open_to_addresses",
        "e2e/tunnel/test_secrecy.py::test_nothing_but_the_public_host_key_is_ever_written_to_a_file",
        "e2e/tunnel/test_secrecy.py::test_the_private_key_is_nowhere_to_be_found",
        "e2e/tunnel/test_through_the_tunnel.py::test_a_signal_leaves_no_process_no_file_and_no_session",
        "e2e/tunnel/test_through_the_tunnel.py::test_a_kill_leaves_no_process_either",
    ),
    "9 A restore deletes the only good copy, and loses settings": (
        "e2e/test_snapshot.py::test_what_a_migration_has_dropped_is_back_with_every_setting_and_the_same_endpoint",
        "e2e/test_snapshot.py::test_a_revert_gives_back_what_was_written_after_the_snapshot",
        "e2e/test_snapshot_instance.py::test_what_was_dropped_is_back_and_can_be_gone_back_from_and_confirmed",
        "unit/aws/test_rds.py::test_nothing_is_deleted_without_a_last_snapshot",
    ),
    "10 A typo in a key name silently ignores a setting": (
        "e2e/test_bad_input.py::test_a_key_of_the_configuration_is_misspelt",
        "unit/config/test_tables.py::test_an_unknown_key_is_an_error_for_every_command",
        "unit/config/test_roles.py::test_a_misspelt_key_is_an_error_that_names_the_nearest",
    ),
    "11 Long-lived AWS keys in workflows": (
        "unit/infra/test_template.py::test_a_workflow_is_believed_by_its_exact_subject",
        "unit/infra/test_template.py::test_an_adopted_provider_of_github_is_not_made_again",
    ),
    "13 An unsupported base, unpinned downloads, root user": (
        "architecture/test_dockerfile.py::test_the_base_image_is_pinned_by_tag_and_digest",
        "architecture/test_dockerfile.py::test_nothing_is_fetched_but_locked_wheels_and_debian_packages",
        "architecture/test_dockerfile.py::test_the_task_is_not_root_and_starts_no_shell",
        "image/test_contents.py::test_there_is_no_pip_no_compiler_and_no_package_manager",
        "image/test_runs.py::test_the_process_has_no_rights",
    ),
    "14 Passwords of new roles reach the server's log": (
        "e2e/test_canary_secrets.py::test_no_secret_is_anywhere_where_it_was_not_asked_for",
        "e2e/test_declared_roles.py::test_a_user_for_one_line_its_rotation_and_the_tables_of_later_migrations",
    ),
    "15 The tunnel does not tell writer from reader": (
        "e2e/tunnel/test_through_the_tunnel.py::test_the_printed_line_leads_to_the_writer_and_checks_its_name",
        "e2e/tunnel/test_troubles.py::test_the_readers_are_led_to_when_asked_for_and_named",
    ),
    "16 Adding one database user means editing three files and building a new image": (
        "e2e/test_declared_roles.py::test_a_user_for_one_line_its_rotation_and_the_tables_of_later_migrations",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_named_defect_has_tests(defect: str) -> None:
    """A test that is renamed or removed takes its defect along, or says here what holds it now."""
    assert [test for test in DEFECTS[defect] if test not in {*find_tests(test.partition("::")[0])}] == []


def find_tests(path: str) -> Iterator[str]:
    """The names of the tests in a module."""
    for node in ast.parse((TESTS / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield f"{path}::{node.name}"
