#include "routes/dialect/profile.h"

const struct diagnostic_code profile_codes[] = {
    {"P101", "the YAML cannot be read",
     "A profile file is UTF-8 text of at most 256 KiB in a plain part of YAML: mappings, lists and "
     "texts, in one document or several (`---` between them). Anchors, aliases and tags are not "
     "used. A text that begins with @ or *, or that has any of [ ] { } , in it inside of { }, "
     "needs quotes: guid: \"@guid\", { path: \"RFF[ABT]/1/2\" }."},
    {"P102", "a member that is not known",
     "Each mapping has a fixed set of members; see "
     "docs/profiles.md. Usually a slip of the pen."},
    {"P103", "something is missing",
     "A profile needs `profile`, `family`, `format`, `recognise` and the field `message_type`."},
    {"P104", "another kind of value is expected",
     "A text stands where a list or a mapping is expected, or the other way round."},
    {"P105", "not a value of this member",
     "Some members take one of a few words: format (xml, json, edifact), identify (id, body), "
     "conflict (flag, refuse), take (first, all), receipt and required (true, false)."},
    {"P106", "no such field or kind of key",
     "`fields` names canonical fields and `keys` the kinds of business keys. Participant, role and "
     "profile are known from the connection and the recogniser and never read from a message."},
    {"P107", "a path that cannot be read",
     "XML and JSON: names with `/` between, `@name` for an attribute at the end, `//name` for any "
     "depth, one predicate as in Party[RoleCode=CB]/ID or Party[RoleCode!=CB]/ID, and name() for "
     "the root's name. EDIFACT: "
     "TAG/element/component, counted from 1, with a qualifier as in RFF[ABT]/1/2 or "
     "LOC[1/1=60]/2/1."},
    {"P108", "paths that stand in each other's way",
     "One walk over the message serves all paths. So a name that one path looks for at any depth "
     "(`//name`) may not be a step of another, entries may not lie inside of each other, and no "
     "other predicate may stand between a predicate's element and what the path reads."},
    {"P109", "a row of a map that cannot be used",
     "A row is `text: result`, `prefix*: result`, `low..high: result` or `\"*\": result`. The "
     "result `*` keeps the value; an empty one drops it."},
    {"P110", "a split, a slice or a constraint that cannot be used",
     "split: [separator, part], parts counted from 1 or, backwards, from -1; slice: [offset, "
     "count] in characters from 0; digits: 1 to 64; length: a number or "
     "low..high."},
    {"P111", "two profiles of one name",
     "Names of profiles are unique. A profile of your own may have the name of a shipped one, "
     "which it then replaces."},
    {"P112", "a profile that is never reached",
     "Profiles are tried in order, your own before the shipped ones. An earlier profile recognises "
     "every message that this one would."},
    {"P113", "more than a profile may have",
     "At most 1024 profiles, 256 values a profile, 256 places that they read, 64 predicates, 16 "
     "aliases a value, 8 parts a join, 16 members and 16 conditions to recognise by."},
    {"P114", "members that contradict each other",
     "A value comes from `path`, `join` or `constant`, one of them. `with` belongs to `join`. A "
     "field that holds one value cannot take all. A receipt, or a profile without `message_id`, is "
     "identified by its body."},
    {"P115", "an example is not so",
     "A message that stands beside a profile as an example is read otherwise than the example "
     "says: recognised by another profile, with other values, or refused. What an example does "
     "not name must not be read."},
    {NULL, NULL, NULL},
};
