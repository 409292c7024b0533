/* What `kouan help CODE` says of rule tables (R1xx) and value lists (L1xx). */
#include "routes/rules/rule.h"

const struct diagnostic_code rule_codes[] = {
    {"R101", "the table is not readable as text",
     "A table is a CSV file in UTF-8 (with or without a byte order mark) or in GB18030, of which "
     "GBK and GB2312 are parts. The place is the first byte that does not fit UTF-8. Save the "
     "sheet as `CSV UTF-8`; `Unicode text` is UTF-16, which is not read."},
    {"R102", "a NUL byte in the table",
     "Text has no NUL bytes. The file may be a workbook (.xlsx, .xls) or be damaged. Save the "
     "sheet as `CSV UTF-8`."},
    {"R103", "a quote is never closed",
     "A cell that begins with `\"` ends at the next single `\"`; inside, each quote is written "
     "twice: \"say \"\"hello\"\"\". The row is left out, and reading goes on in the next line."},
    {"R104", "a stray quote",
     "Either text follows a closing quote (`\"ab\"c`: a quote inside is not doubled, or the "
     "closing "
     "quote is missing and a later line's took its place), or a quote stands inside a cell that "
     "does not begin with one (`a \"b\"`: quote the whole cell)."},
    {"R105", "no header row",
     "The first row that is not blank names the columns. Example:\n"
     "  id,message_type,customs_office,to\n"
     "  gz-lists,CEB621,51*,customs\n"
     "`kouan help R106` lists the columns."},
    {"R106", "an unknown column",
     "A column's name is none of those known, such as `custom_office`. Columns, in any order, "
     "their "
     "letters' case aside: id, to (both needed), priority, action, valid_from, valid_to, "
     "note, and the fields "
     "message_id, "
     "message_type, function, sender, receiver, reference, customs_office, exit_office, "
     "transit_office, port, inspection_office, trade_mode, transport_mode, goods_code, trader, "
     "status, transit, sent_at, participant, role, profile."},
    {"R107", "a column twice",
     "Two columns have the same name. Alternatives of one field stand in one cell: 5141|5301."},
    {"R108", "a column is missing",
     "Each table has the columns `id` and `to`; `kouan help R106` lists all."},
    {"R109", "a cell under no column's name",
     "The row has more cells than the header names, and one of them is not blank. Often a value "
     "holds the separator and is not quoted: write \"a,b\". Give notes a column `note`."},
    {"R110", "a rule without an id",
     "The cell `id` is blank. The journal, `explain` and replies name a rule by its id."},
    {"R111", "an id twice",
     "Two rules of one table have the same id. Letters' case counts: `a` and `A` differ."},
    {"R112", "a priority that is no whole number",
     "`priority` is a whole number of 32 bits, such as 10 or -5; blank is 0. Rules of higher "
     "priority are tried first; those of equal priority in the order of the file."},
    {"R113", "an unknown action",
     "`action` is deliver (also if blank), hold or reject. A rule that holds keeps the message "
     "for release by hand; one that rejects refuses it, whatever other tables say."},
    {"R114", "a rule without a destination",
     "`to` is blank, which only a rule with the action reject may be. Write one destination, "
     "several as a|b, or `@receiver` for the participant that owns the receiver's address."},
    {"R115", "an unknown destination",
     "`to` names a destination that the configuration does not have. Several are separated by `|`; "
     "patterns and lists do not stand here."},
    {"R116", "`@receiver` in a condition",
     "`@receiver` is a destination and stands in `to` only. To match on the receiver's address "
     "write it into the column `receiver`."},
    {"R117", "an unknown list",
     "`@name` in a condition is a value list of the configuration, and there is none of that name. "
     "An `@` at the beginning that is text is written `\\@`."},
    {"R118", "a leading zero lost",
     "A value has fewer digits than the codes of its column: `110` in trade_mode, where 0110 is "
     "meant. Spreadsheets take codes for numbers. Format the column as text before you type or "
     "import, and write the code again. Offices and trade modes have 4 digits, inspection offices "
     "6, goods codes an even number. The values of a list are looked at where a column uses it."},
    {"R119", "a rounded number",
     "A value such as `8.5E+09` is a long code that a spreadsheet took for a number; its digits "
     "are lost. Format the column as text, and write the code again."},
    {"R120", "a date in a column of codes",
     "A value such as `2026/11/23` or `Nov-23` is a code that a spreadsheet took for a date. "
     "Format the column as text, and write the code again."},
    {"R121", "the error value of a formula",
     "A value such as `#N/A` or `#REF!` is what a formula of the sheet left behind."},
    {"R122", "a range that is none",
     "A range is low..high with both ends, of the same length, the low one first: 0201..0210. Ends "
     "of digits compare as numbers, and only with values of as many digits; others by bytes."},
    {"R123", "an empty alternative",
     "Nothing stands before or after a `|`, or after the `!`, as in `5141|` or `!`. A cell that "
     "always holds is blank or `*`."},
    {"R124", "a sign in the wrong place",
     "`*` ends a prefix (51*) or stands alone in its cell; `!` stands before the whole cell and "
     "negates all of it: !51*|53*. `!*` would never hold. A sign that is text takes a `\\` before "
     "it: `\\*`."},
    {"R125", "a `\\` before no sign",
     "`\\` makes the sign after it text. It does not stand before letters or digits or at the end. "
     "A backslash is written `\\\\`."},
    {"R126", "several values that are not separated by `|`",
     "A cell separates its values by `|` (5141|5301) and writes a range with `..` (0201..0210). "
     "Commas, semicolons, blanks, line breaks and hyphens do not separate, and full-width signs "
     "such as `｜` or `＊` are no signs. If the text is one value, write a `\\` before the sign: "
     "`A\\/B`."},
    {"R127", "a text that is too long",
     "A value has at most 1024 bytes, as in messages, and an id at most 64."},
    {"R128", "too many rules or alternatives",
     "All tables together have at most 200000 rules and 4000000 alternatives, and a cell has at "
     "most 1024. Their rules begin and end at less than 60000 different times. A list counts as "
     "one: put values into a list file and write `@name`."},
    {"R129", "a value that is longer than the codes of its column (warning)",
     "A value has more digits than the column's codes: `440000` in customs_office, whose codes "
     "have 4. The condition would never hold; the value may belong in another column."},
    {"R130", "a rule that never matches (warning)",
     "An earlier rule of the same table holds whenever this one does, and the first that holds is "
     "the match. Put the narrower rule first or give it a higher priority. What several earlier "
     "rules cover only together is not looked for, and the check compares a rule with 64 earlier "
     "ones at most: a missing warning proves nothing."},
    {"R131", "a table without rules (warning)", "There is a header, and no row under it."},
    {"R132", "a time that is none",
     "`valid_from` and `valid_to` hold a day, 2026-12-01 or 2026/12/1, which begins at midnight in "
     "China (UTC+08:00), or a time with its zone, 2026-12-01T08:30+08:00 or 2026-12-01 00:30Z. "
     "Blank: the rule always was, or always will be, valid."},
    {"R133", "a rule that is never valid",
     "`valid_to` is the first moment at which the rule holds no more, so it lies after "
     "`valid_from`. "
     "A rule for all of December 2026 is valid from 2026-12-01 to 2027-01-01."},
    {"L101", "the list is not readable as text", "As R101: UTF-8 or GB18030."},
    {"L102", "a NUL byte in the list", "As R102: is it a workbook? Save it as `CSV UTF-8`."},
    {"L103", "a quote is never closed", "As R103."},
    {"L104", "a stray quote", "As R104."},
    {"L105", "a value with a sign of rule cells",
     "A list holds whole values, one a line (or the first column of a CSV): `51*`, `a|b`, "
     "`0201..0210`, `!a` and `@b` belong in rules. A sign that is text takes a `\\` before it."},
    {"L106", "a value that a spreadsheet has damaged",
     "A rounded number (8.5E+09), the error value of a formula (#N/A), or a line break inside a "
     "value. Format the column as text, and write the value again."},
    {"L107", "a list without values (warning)",
     "A condition `@list` on an empty list never holds, and `!@list` always does. Lines that begin "
     "with `#` are comments; a first line `value` or `code` is a header."},
    {"L108", "a value that is too long", "A value has at most 1024 bytes, as in messages."},
    {"L109", "too many values", "A list has at most 200000 values."},
    {"L110", "a version that is none",
     "Among the comments before the first value, `# version: 2026-11` says which version of a list "
     "this is: at most 64 bytes, as `check`, `config diff` and `explain` show them."},
    {NULL, NULL, NULL},
};
