"""`users.acl`: who may do what in Redis. Made of password hashes and the rules below, so it holds no secret and follows
the release. Its last user can do nothing and names the file's revision: a node that lists it enforces this file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

USERS = ("sessions", "manager", "replica", "probe", "exporter")

# What any client needs to log in and to say who it is.
_CLIENT = "+auth +hello +ping +client|setinfo +client|setname"
# What the store's scripts and calls use, and `limits` for failed sign-ins. A test holds the first against the code.
_STORE = (
    "+hgetall +hget +hset +hdel +hexists +hkeys +hlen +hrandfield +zadd +zrem +zscore +zcount +zcard +zrangebyscore "
    "+xadd +xread +xrange +xrevrange +xlen +get +set +incrby +lindex +lpush +lrange +ltrim +rename +del +exists "
    "+expire +pexpire +pexpireat +pexpiretime +pttl +ttl"
)
_CLUSTER_CLIENT = (
    "+eval +evalsha +script|load +script|exists +wait +time +info +asking +readonly +readwrite +command "
    "+cluster|slots +cluster|shards +cluster|nodes +cluster|myid +cluster|keyslot"
)
_CLUSTER_ADMIN = (
    "+cluster +role +info +dbsize +time +config|get +config|set +acl|load +acl|users +command|info "
    "+hgetall +hset +del +readonly"
)
# Valkey's atomic slot migration logs in as the replica and writes as it; it refuses what the user may not write
# (https://valkey.io/blog/atomic-slot-migration-acl-requirements/). `+cluster|syncslots` alone is unknown to Redis,
# which refuses the file then; so all of `cluster` but what could break one.
_REPLICA = (
    "+psync +replconf +sync +@write +select +eval +evalsha +script +function +multi +exec +cluster -cluster|reset "
    "-cluster|forget -cluster|meet -cluster|failover -cluster|addslots -cluster|addslotsrange -cluster|delslots "
    "-cluster|delslotsrange -cluster|flushslots -cluster|setslot -cluster|replicate"
)
_PROBE = "+info +role +cluster|info +cluster|nodes +cluster|myid +cluster|failover"
# Not `config|get`: it tells `masterauth`, the password of `replica`, who may write everything.
_EXPORTER = (
    "+info +cluster|info +cluster|nodes +cluster|slots +client|list +slowlog|get +slowlog|len "
    "+latency|latest +latency|histogram +dbsize +command|count +type +role"
)


def render_acl(hashes: Mapping[str, Sequence[str]], *, prefix: str) -> str:
    """``hashes``: SHA-256 of the passwords of each user, in hex, all of which are valid."""
    rules = {
        "sessions": f"~{prefix}:* &* {_CLIENT} {_STORE} {_CLUSTER_CLIENT}",
        "manager": f"~operations:* {_CLIENT} {_CLUSTER_ADMIN}",
        "replica": f"~* &* {_CLIENT} {_REPLICA}",
        "probe": f"{_CLIENT} {_PROBE}",
        "exporter": f"{_CLIENT} {_EXPORTER}",
    }
    lines = [_DEFAULT]
    for user in USERS:
        passwords = " ".join(f"#{one}" for one in hashes[user])
        lines.append(f"user {user} on {passwords} resetchannels -@all {rules[user]}")
    text = "\n".join(lines) + "\n"
    return f"{text}user {_PREFIX}{hashlib.sha256(text.encode()).hexdigest()[:12]} off\n"


# Nobody logs in as it. But Redis reads its own append-only file as this user, and asks for its rights at each EXEC
# (`execCommand`, `createAOFClient` of 8.0): without them what a script wrote at once is left out when a node starts.
_DEFAULT = "user default off resetpass ~* &* +@all"
_PREFIX = "revision-"


def revision_of(text: str) -> str:
    """The name of the user that marks this file; empty: a file that somebody else made, which is not followed."""
    names = (line.split()[1] for line in text.splitlines() if line.startswith(f"user {_PREFIX}"))
    return next(names, "")


def hashes_of(text: str) -> dict[str, tuple[str, ...]]:
    """The password hashes of each user in a file that ``render_acl`` made."""
    found = {}
    for words in (line.split() for line in text.splitlines()):
        if len(words) > 2 and words[0] == "user" and words[1] in USERS:
            found[words[1]] = tuple(word[1:] for word in words if word.startswith("#"))
    return found


def hash_password(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
