#!/bin/sh
# Each code of a diagnostic that the sources raise has a test that says where it is told: by what is
# printed (`t.csv:2:3: error[R101]`), or by numbers ("C101", 2, 1), or in a cell of tests/routes/rule_test.c
# ("R116 stands"), whose place is always the same. What is of a whole file has no line.
set -eu
cd "$(dirname "$0")/.."
of_files='L107 R131'
status=0
codes=$(grep -hoE '"[A-Z][0-9]{3}"' routes/*.[ch] routes/*/*.[ch] io/*.[ch] io/*/*.[ch] | tr -d '"' | sort -u)
[ -n "$codes" ] || { echo "check_diagnostics: no codes were found" >&2; exit 1; }
told=$(cat tests/*/*_test.c | tr '\n' ' ' | tr -s ' ' |
    grep -oE ':[1-9][0-9]*:[1-9][0-9]*: (error|warning)\[[A-Z][0-9]{3}|"[A-Z][0-9]{3}", [1-9][0-9]*, [1-9]|"R[0-9]{3} [a-z]' |
    grep -oE '[A-Z][0-9]{3}' | sort -u)
told_of_files=$(grep -hoE '[a-z]: (error|warning)\[[A-Z][0-9]{3}' tests/*/*_test.c | grep -oE '[A-Z][0-9]{3}' | sort -u)

for code in $codes; do
    where=$told
    case " $of_files " in *" $code "*) where=$told_of_files ;; esac
    case " $(echo $where) " in
    *" $code "*) ;;
    *)
        echo "check_diagnostics: no test says where $code is told" >&2
        status=1
        ;;
    esac
done
exit $status
