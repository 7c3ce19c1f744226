#!/bin/sh
# Builds the rules in a clean clone and proposes what has changed as a pull request: a new one, or the open one again.
#
#   update.sh [OPTION]…    options are those of stixc build
#
# Ends with 0 if the rules are up to date or proposed. Whatever else stixc build ends with (5, a safety stop) ends this
# too, before anything is pushed.
set -eu

rules=${RULES_DIR:-rules}
branch=${RULES_BRANCH:-stixc/rules}
title=${RULES_TITLE:-Update the rules}

if [ -n "$(git status --porcelain -- "$rules")" ]; then
    echo "$rules holds changes that are not committed" >&2
    exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$rules"
cp -R "$rules" "$work/before"

# ---- build ----

code=0
stixc build "$@" || code=$?
: >"$work/note"
case $code in
0) ;;
1) echo 'Some findings are at or above fail_on: see the log of the run.' >"$work/note" ;;
4)
    echo '::warning::a feed could not be read as a whole'
    echo 'A feed could not be read as a whole: these are the rules of what is known of it. See the log.' >"$work/note"
    ;;
*)
    echo "::error::stixc build ended with $code, and nothing is proposed"
    exit "$code"
    ;;
esac

# ---- compare ----

changed=0
stixc diff --format markdown "$work/before" "$rules" >"$work/diff.md" || changed=$?
[ "$changed" -le 1 ] || exit "$changed"
# A fork may have a branch of that name: its pull request is none of ours.
open=$(gh pr list --head "$branch" --state open --json number,isCrossRepository \
    --jq '.[] | select(.isCrossRepository | not) | .number')

if [ "$changed" = 0 ]; then
    echo 'The rules are up to date.'
    # The feeds took back what was proposed: a merge would bring it in all the same.
    [ -z "$open" ] || gh pr close "$open" --comment 'The rules are up to date without it.' --delete-branch
    exit 0
fi

# ---- propose ----

git add --all -- "$rules"
tree=$(git write-tree)
# The same tree is proposed already: a new commit would only ask for the reviews and checks again.
if [ -n "$open" ] && git fetch --quiet --depth=1 origin "$branch" &&
    [ "$(git rev-parse 'FETCH_HEAD^{tree}')" = "$tree" ]; then
    echo "Pull request $open holds these rules already."
else
    export GIT_AUTHOR_NAME=stixc GIT_AUTHOR_EMAIL=stixc@localhost
    export GIT_COMMITTER_NAME=stixc GIT_COMMITTER_EMAIL=stixc@localhost
    commit=$(git commit-tree "$tree" -p HEAD -m "$title")
    # The branch is this script's own: what an earlier run proposed is part of what this one does.
    git push --quiet --force origin "$commit:refs/heads/$branch"
fi
{
    cat "$work/note"
    [ ! -s "$work/note" ] || echo
    cat "$work/diff.md"
} >"$work/body.md"
if [ -n "$open" ]; then
    gh pr edit "$open" --title "$title" --body-file "$work/body.md"
else
    gh pr create --head "$branch" --title "$title" --body-file "$work/body.md"
fi
