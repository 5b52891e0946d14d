#!/usr/bin/env bash
# The file of exceptions is in order: four fields, a rule that exists, a reason; and, when the rules
# ran before (BOUNDARY_USED), every line excused something. It only shrinks.
source "$(dirname "$0")/../lib.sh"

number=0
while IFS= read -r line; do
  number=$((number + 1))
  [[ "$line" =~ ^[[:space:]]*(#|$) ]] && continue
  IFS='|' read -r name subject item reason <<<"$line"
  name="${name// /}" subject="${subject// /}" item="${item# }"
  item="${item% }"
  where="line $number ($name | $subject | $item)"
  [[ -n "${reason// /}" ]] || complain exceptions.txt reason "$where gives no reason"
  [[ -f "$rules_home/rules/$name.sh" ]] || complain exceptions.txt rule "$where names a rule that does not exist"
  if [[ -n "${BOUNDARY_USED:-}" ]] && ! grep -qxF "$name|$subject|$item" "$BOUNDARY_USED"; then
    complain exceptions.txt unused "$where excuses nothing any more: delete it"
  fi
done <"$exceptions"
finish
