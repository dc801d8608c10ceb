"""CloudFormation, in the place of the emulator's own.

That one has neither change sets that tell what they replace, nor roll-backs, nor drift, nor half of the types that
we need; it does at once what takes time, and accepts what AWS refuses. In here:

:mod:`.template`    reads templates: references, functions, the order of resources
:mod:`.differences` what would change, property by property, and what that replaces
:mod:`.types`       how a resource of each type is made, changed, deleted and looked at, by the emulator's own API
:mod:`.stack`       stacks with their resources and events
:mod:`.work`        creating, updating, rolling back and deleting, in a thread
:mod:`.api`         the calls

Resources are made with the credentials of whoever calls, as AWS does it, so that the judge sees every right that a
deployment takes.
"""
