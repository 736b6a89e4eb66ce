#!/bin/sh
# Draw one picture with curl and save it. Needs curl and python3 (to read JSON).
#
#     TOKEN=$(.venv/bin/python manage.py create_token studio) sh examples/draw.sh "a red umbrella"
set -eu
url="${URL:-http://127.0.0.1:8000}"
prompt="${1:-LiuJuan}"
file="${2:-picture.jpg}"

field() { python3 -c 'import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1:]:
    value = value[int(name) if name.isdigit() else name]
print(value)' "$@"; }
call() { curl --silent --show-error --fail-with-body -H "Authorization: Bearer $TOKEN" "$@"; }

body=$(python3 -c 'import json, sys; print(json.dumps({"prompt": sys.argv[1]}))' "$prompt")
# the same key for a repeated request: it can never draw twice
key=$(python3 -c 'import uuid; print(uuid.uuid4())')
task=$(call --retry 3 -H "Idempotency-Key: $key" -H "Prefer: wait=60" -d "$body" "$url/api/v1/tasks")
status=$(echo "$task" | field status)
while [ "$status" = queued ] || [ "$status" = running ]; do
  seq=$(echo "$task" | field seq)
  call "$(echo "$task" | field urls events)?after=$seq&wait=60" >/dev/null
  task=$(call "$(echo "$task" | field urls self)")
  status=$(echo "$task" | field status)
done
if [ "$status" != completed ]; then
  echo "$status: $(echo "$task" | field error)" >&2
  exit 1
fi
call --output "$file" "$(echo "$task" | field pictures 0 url)"
echo "$file"
