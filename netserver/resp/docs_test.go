package resp_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCommandsDocument holds docs/commands.md against the command table: a line
// for each group.
func TestCommandsDocument(t *testing.T) {
	document, err := os.ReadFile("../../docs/commands.md")
	require.NoError(t, err)
	docs := serve(t, nil).connect(t).ask("COMMAND", "DOCS")
	groups := make(map[string][]string)
	for pair := range slices.Chunk(docs.list, 2) {
		name, about := strings.ToUpper(pair[0].text), node{list: pair[1].list}
		if subs, ok := about.find("subcommands"); ok {
			var list []string
			for sub := range slices.Chunk(subs.list, 2) {
				_, after, _ := strings.Cut(sub[0].text, "|")
				list = append(list, strings.ToUpper(after))
			}
			slices.Sort(list)
			name += " (" + strings.Join(list, " ") + ")"
		}
		group := about.get(t, "group").text
		groups[group] = append(groups[group], name)
	}
	require.Len(t, groups, 10)
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		slices.Sort(groups[group])
		line := fmt.Sprintf("- %s: %s\n", group, strings.Join(groups[group], ", "))
		require.Contains(t, string(document), line)
	}
}
