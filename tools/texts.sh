#!/bin/sh
# The English texts of the sources, for translators.
#   tools/texts.sh update   adds them to each po/*.po; those that are gone are removed
#   tools/texts.sh check    fails when a translation is missing or doubtful
set -eu
cd "$(dirname "$0")/.."
new=$(mktemp) sources=$(mktemp)
trap 'rm -f "$new" "$sources"' EXIT
{ find src -name "*.c" -o -name "*.h"; echo po/system.txt; } | LC_ALL=C sort >"$sources"
keywords="" flags=""
# Who takes a text, and as which argument.
for sink in wa_fail:3 wa_fail_errno:3 wa_wrap:2 wa_ossl_fail:3 wa_win_fail:3 wa_cli_out:2 wa_cli_say:2 wa_leave_tell:2 wa_leave_line:2 wa_cli_progress:2 \
    wa_cli_confirm:1 wa_cli_ask_secret:1 wa_finding_say:5 wa_plan_problem:3 wa_plan_reason:3 wa_task_say:2 wa_lint_add:7 wa_text:1 WA_TEXT:1 \
    fail_at:3 fail_here:2 invalid:2 refuse:3 damaged:2 fail_uv:3 wa_tls_fail:3 outcome:3 want:5 say:3 wa_get_outcome:2 finish:3 wa_client_finish:3 deny:4 ask_password:2 TELL:5 SAY:1 give_up:2 wa_import_tell:4 wa_import_leave:4; do
    keywords="$keywords --keyword=$sink" flags="$flags --flag=$sink:c-format"
done
# shellcheck disable=SC2086
xgettext --language=C --from-code=UTF-8 --keyword $keywords --keyword=wa_text_n:1,2 $flags --flag=wa_text_n:1:c-format --flag=wa_text_n:2:c-format \
    --sort-output --no-location --no-wrap --package-name=wapt -o "$new" --files-from="$sources" 2>/dev/null
xgettext --language=Python --from-code=UTF-8 --keyword --keyword=tell:4 --flag=tell:4:c-format --sort-output --no-location --no-wrap --join-existing \
    -o "$new" python/wapt_lint.py 2>/dev/null
sed -i '/^"POT-Creation-Date/d' "$new"
for po in po/*.po; do
    case ${1:-} in
    update)
        msgmerge --quiet --no-fuzzy-matching --no-location --no-wrap --sort-output -o "$po.new" "$po" "$new"
        msgattrib --no-obsolete --no-wrap --sort-output -o "$po" "$po.new"
        rm -f "$po.new"
        echo "$po: $(msgfmt --statistics -o /dev/null "$po" 2>&1)"
        ;;
    check) msgcmp "$po" "$new" ;;
    *) sed -n '3,4s/^# *//p' "$0" >&2; exit 2 ;;
    esac
done
