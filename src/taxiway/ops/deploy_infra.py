"""Planning and deploying the stack. CloudFormation works out what would change, and nothing is done unseen.

Every step looks first what is there, so that a call that was interrupted is repeated without harm.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from taxiway import errors
from taxiway.model.infra import Change, ChangeKind, ChangeSet, Plan, Stack
from taxiway.ops.follow_stack import StackFollower, make_token

# What holds data that nothing else has.
_HOLDS_DATA: Final = frozenset({"AWS::RDS::DBCluster", "AWS::RDS::DBInstance"})
_LOSING: Final = frozenset({ChangeKind.REPLACE, ChangeKind.MAY_REPLACE, ChangeKind.REMOVE})
# States in which nothing but a decision of somebody helps.
_BLOCKED: Final = {
    "DELETE_FAILED": "Run 'taxiway infra destroy' again: it goes on where it stopped.",
    "UPDATE_ROLLBACK_FAILED": "Run: aws cloudformation continue-update-rollback --stack-name ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be deployed. ``tags``: of the stack itself."""

    stack: str
    template: Mapping[str, Any]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan, and what would carry it out.

    Attributes:
        change_set: ``None``: there is nothing to do, or a failed creation has to be removed first.
        remains: The failed creation.
    """

    plan: Plan
    change_set: ChangeSet | None = None
    remains: Stack | None = None

    @property
    def has_work(self) -> bool:
        """There is something to do."""
        return bool(self.plan.changes)


@dataclass(slots=True)
class Deployment:
    """Brings one stack to what is wanted."""

    wanted: Wanted
    follower: StackFollower

    def prepare(self) -> Prepared:
        """Wait for whatever is being done to the stack, then have the changes worked out.

        Raises:
            StackBlocked: Nothing can be done to the stack in the state that it is in.
            StackFailed: The changes cannot be worked out, or what was being done has failed.
            AwsError: AWS refuses, or cannot be asked.
        """
        stack = self._settled()
        if stack is not None and stack.is_dead:
            return self._prepare_anew(stack)
        is_new = stack is None or stack.is_empty
        change_set = self._work_out(is_new=is_new)
        plan = self._plan(self._in_order(change_set.changes), is_new=is_new)
        if change_set.changes:
            return Prepared(plan=plan, change_set=change_set)
        self.discard(Prepared(plan=plan, change_set=change_set))
        return Prepared(plan=plan)

    def discard(self, prepared: Prepared) -> None:
        """Leave nothing behind of a plan that is not carried out: no change set, no stack without resources."""
        if prepared.change_set is not None:
            self._forget(prepared.change_set.id)

    def carry_out(self, prepared: Prepared) -> Stack:
        """Do what was planned, and wait for its end.

        Raises:
            StackFailed: It failed; CloudFormation has taken back what it had done.
            AwsError: AWS refuses, or cannot be asked.
        """
        if prepared.remains is not None:
            self.remove(prepared.remains)
            prepared = self.prepare()
        assert prepared.change_set  # there was work, and nothing in its way any more
        stacks = self.follower.stacks
        after = self.follower.last_event(prepared.change_set.stack_id)
        stacks.execute_change_set(prepared.change_set.id, self.wanted.stack, make_token())
        return self._follow(prepared.change_set.stack_id, after)

    def remove(self, stack: Stack) -> Stack:
        """Delete a stack, and wait until it is gone. Raises as :meth:`carry_out`."""
        after = self.follower.last_event(stack.id)
        self.follower.stacks.delete_stack(stack.id, make_token())
        return self._follow(stack.id, after)

    def _work_out(self, *, is_new: bool) -> ChangeSet:
        """The changes. Whatever ends the waiting, also an answer that was lost: nothing is left of it."""
        name = make_token()
        try:
            change_set_id = self.follower.stacks.create_change_set(
                self.wanted.stack, name, self.wanted.template, is_new=is_new, tags=self.wanted.tags
            )
            return self.follower.wait_for_change_set(change_set_id, self.wanted.stack)
        except BaseException:
            # What cannot be forgotten does no harm, and what has happened is what has to be told.
            with suppress(errors.TaxiwayError):
                self._forget(name)
            raise

    def _forget(self, change_set: str) -> None:
        stacks = self.follower.stacks
        stacks.delete_change_set(change_set, self.wanted.stack)
        stack = stacks.find_stack(self.wanted.stack)
        if stack is not None and stack.is_empty:
            stacks.delete_stack(stack.id, make_token())

    def _follow(self, stack_id: str, after: str | None) -> Stack:
        begun = Stack(id=stack_id, name=self.wanted.stack, status="unknown")
        return self.follower.follow(begun, after, has_begun=False)

    def _settled(self) -> Stack | None:
        """The stack as it is once nobody changes it; ``None``: there is none."""
        stack = self.follower.stacks.find_stack(self.wanted.stack)
        if stack is not None and stack.is_moving:
            self.follower.watcher.on_trouble(f"Stack {stack.name} is {stack.status}: waiting for its end.")
            after = self.follower.last_event(stack.id)
            stack = self._settle(stack, after)
        if stack is not None and stack.status in _BLOCKED:
            hint = _BLOCKED[stack.status]
            raise errors.StackBlocked(
                f"Stack {stack.name} is {stack.status}: {stack.reason or 'no reason given'}",
                stack=stack.name,
                hint=hint + stack.name if hint.endswith(" ") else hint,
            )
        return stack

    def _settle(self, stack: Stack, after: str | None) -> Stack | None:
        """A creation that fails while we wait for it is what we remove; every other failure is told."""
        try:
            ended = self.follower.follow(stack, after, has_begun=True)
        except errors.StackFailed:
            found = self.follower.stacks.find_stack(stack.id)
            if found is None or not found.is_dead:
                raise
            return found
        return None if ended.status == "DELETE_COMPLETE" else ended

    def _prepare_anew(self, remains: Stack) -> Prepared:
        """CloudFormation plans nothing for a stack whose creation has failed; all in the template will be new."""
        changes = [
            Change(kind=ChangeKind.ADD, logical_id=name, type=resource["Type"])
            for name, resource in self.wanted.template["Resources"].items()
        ]
        plan = self._plan(changes, is_new=True)
        first = f"The stack is {remains.status}: what is left of its failed creation is removed first."
        return Prepared(plan=replace(plan, warnings=(first, *plan.warnings)), remains=remains)

    def _plan(self, changes: Iterable[Change], *, is_new: bool) -> Plan:
        found = tuple(changes)
        return Plan(
            stack=self.wanted.stack,
            region=self.follower.stacks.region,
            is_new=is_new,
            changes=found,
            warnings=tuple(_warning(change) for change in data_losses(found)),
        )

    def _in_order(self, changes: Iterable[Change]) -> list[Change]:
        order = {name: place for place, name in enumerate(self.wanted.template["Resources"])}
        return sorted(changes, key=lambda change: order.get(change.logical_id, len(order)))


def data_losses(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes that take a database away."""
    return tuple(one for one in changes if one.type in _HOLDS_DATA and one.kind in _LOSING)


def refuse_data_loss(plan: Plan) -> None:
    """Stop before a database is taken away that nobody has said may go.

    Raises:
        DataAtRisk: The plan has such a change.
    """
    lost = data_losses(plan.changes)
    if lost:
        names = ", ".join(f"{one.logical_id} ({one.kind.value})" for one in lost)
        raise errors.DataAtRisk(
            f"The plan takes a database away: {names}.",
            stack=plan.stack,
            hint="Undo the change in [infra.database], or give --allow-database-loss: a final snapshot is kept.",
        )


def _warning(change: Change) -> str:
    what = change.physical_id or change.logical_id
    if change.kind is ChangeKind.REMOVE:
        return f"The database {what} is deleted; a final snapshot is kept."
    word = "may be" if change.kind is ChangeKind.MAY_REPLACE else "is"
    return f"The database {what} {word} replaced by an EMPTY one; a final snapshot of the old one is kept."
