"""The grammar of access control: roles and who has them, of today and as before schema 2.0. Pure."""

import re

import pyparsing as pp

from hatools.parser import syntax
from hatools.parser.acl_words import OLD_ATTRIBUTES, PERMISSION_WORDS, RIGHTS, SHORTCUTS, expand_shortcut
from hatools.parser.pieces import (
    DESCRIPTION,
    INITIAL_ID,
    Pieces,
    captured,
    initial_id,
    maybe,
    until_end,
)
from hatools.parser.rules import IDENTIFIER
from hatools.parser.terminals import Match, WordLine, fail

_PERM = "Expected <type>:<spec>"


class AccessGrammar(Pieces):
    """role, acl_target, acl_group, user."""

    def _acl_target(self, keyword: str) -> pp.ParserElement:
        identifier = Match(IDENTIFIER, "Expected identifier")

        def build(tokens: pp.ParseResults) -> syntax.AclTarget:
            return syntax.AclTarget(keyword, tokens[0][0], tuple(token[0] for token in tokens[1:]))

        return (identifier + until_end(identifier.copy())).set_parse_action(build)

    def _user(self, keyword: str) -> pp.ParserElement:
        role = Match(r"role:(.+)$").set_parse_action(lambda t: t[0][1])

        def build(tokens: pp.ParseResults) -> syntax.AclUser:
            return syntax.AclUser(tokens[0][0], tuple(tokens[1:]))

        identifier = Match(IDENTIFIER, "Expected identifier")
        return (identifier + until_end(role | _OldRule())).set_parse_action(build)

    def _role(self, keyword: str) -> pp.ParserElement:
        identifier = Match(IDENTIFIER, "Expected identifier")

        def build_old(tokens: pp.ParseResults) -> syntax.AclRole:
            return syntax.AclRole(tokens[0][0], None, tuple(tokens[1:]), is_old=True)

        def build(tokens: pp.ParseResults) -> syntax.AclRole:
            return syntax.AclRole(tokens[0][0], captured(tokens[1]), tuple(tokens[2:]))

        if not self._dialect.new_acls:
            return (identifier + until_end(_OldRule())).set_parse_action(build_old)
        right = Match(rf"({'|'.join(RIGHTS)})$", f"Expected ({'|'.join(RIGHTS)})")
        words = "|".join((*PERMISSION_WORDS, *SHORTCUTS))
        spec = pp.FollowedBy(Match(re.compile(rf"({words})(:|$)"))) + Match(r"([^:]+)(?::(.+))?$", _PERM)
        spec.set_parse_action(_permission_attribute)
        permission = right + maybe(INITIAL_ID) + maybe(DESCRIPTION) + pp.ZeroOrMore(spec)
        permission.set_parse_action(_permissions)
        return (identifier + maybe(DESCRIPTION) + until_end(permission)).set_parse_action(build)


class _OldRule(pp.Token):
    """An access rule as before schema 2.0: ``right spec...``; yields :class:`AclPermission`."""

    def _generateDefaultName(self) -> str:
        return "RIGHT SPEC"

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        assert isinstance(instring, WordLine)
        if loc >= len(instring.words) or instring.words[loc].lower() not in RIGHTS:
            raise fail(instring, loc, f"Expected ({'|'.join(RIGHTS)})")
        kind = instring.words[loc].lower()
        loc += 1
        eligible = set(OLD_ATTRIBUTES)
        attributes: list[tuple[str, str]] = []
        while loc < len(instring.words):
            name, separator, value = instring.words[loc].partition(":")
            if name in SHORTCUTS:
                expanded = expand_shortcut(name, value if separator else None)
                if expanded is None:
                    break
                name, separator, value = "xpath", ":", expanded
            if not separator or name not in eligible:
                break
            attributes.append((name, value))
            loc += 1
            eligible.discard(name)
            if name == "xpath":
                eligible -= {"ref", "tag"}
            elif name in ("ref", "tag"):
                eligible.discard("xpath")
            else:
                break
        return loc, syntax.AclPermission(kind, attributes=tuple(attributes))


def _permission_attribute(line: str, loc: int, tokens: pp.ParseResults) -> tuple[str, str]:
    """Return (attribute, value) of one part of a permission."""
    word, value = tokens[0][1], tokens[0][2]
    name = PERMISSION_WORDS.get(word, word)
    if name in SHORTCUTS:
        xpath = expand_shortcut(name, value)
        if xpath is None:
            wrong = "Missing argument to ACL shortcut" if value is None else "Too many arguments to ACL shortcut"
            raise fail(line, loc + 1, f"{wrong} {name}")
        return "xpath", xpath
    if value is None:
        raise fail(line, loc + 1, _PERM)
    return name, value


def _permissions(line: str, loc: int, tokens: pp.ParseResults) -> list[syntax.AclPermission]:
    """Split what was written into the combinations that the CIB knows: xpath, reference, type + attribute."""
    right, identity, description, *specs = tokens
    found = dict(specs)
    combinations: list[tuple[tuple[str, str], ...]] = []
    for name in ("xpath", "reference"):
        if name in found:
            combinations.append(((name, found[name]),))
    if "object-type" in found:
        names = [name for name in ("object-type", "attribute") if name in found]
        combinations.append(tuple((name, found[name]) for name in names))
    elif "attribute" in found:
        used = 1 + bool(identity) + bool(description) + len(specs)
        raise fail(line, loc + used, "attribute is only valid in combination with tag/object-type")
    return [
        syntax.AclPermission(right[1].lower(), initial_id(identity), captured(description), combination)
        for combination in combinations
    ]
