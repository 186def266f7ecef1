package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSummary(t *testing.T) {
	cases := []struct {
		name  string
		allow []string
		in    string
		want  string
		ok    bool
	}{
		{
			name: "pass",
			in: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: fine\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"pass","Package":"p","Elapsed":0.25}
{"Action":"skip","Package":"empty"}
`,
			want: "ok    p  0.2s\n1 passed, 0 failed, 0 skipped\n",
			ok:   true,
		},
		{
			name: "nothing ran",
			in:   `{"Action":"skip","Package":"empty"}`,
			want: "0 passed, 0 failed, 0 skipped\n",
		},
		{
			name: "a test fails",
			in: `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: want 1, got 2\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"fail","Package":"p","Elapsed":1}
`,
			want: "        a_test.go:3: want 1, got 2\n    --- FAIL: TestA (0.00s)\nFAIL  p  1.0s\n1 passed, 1 failed, 0 skipped\n",
		},
		{
			name: "a process dies",
			in: `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"panic: oh\n"}
{"Action":"output","Package":"p","Output":"exit status 2\n"}
{"Action":"fail","Package":"p","Elapsed":0}
`,
			want: "FAIL  p  0.0s\n    panic: oh\n    exit status 2\n1 passed, 1 failed, 0 skipped\n",
		},
		{
			name: "a build fails",
			in: `{"ImportPath":"p","Action":"build-output","Output":"p/a.go:3:1: syntax error\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","Elapsed":0,"FailedBuild":"p"}
`,
			want: "p/a.go:3:1: syntax error\nFAIL  p  0.0s\n    FAIL\tp [build failed]\n0 passed, 1 failed, 0 skipped\n",
		},
		{
			name:  "skips",
			allow: []string{"soak:"},
			in: `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: soak: takes an hour\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
`,
			want: "skip  p TestB: soak: takes an hour\n1 passed, 0 failed, 1 skipped\n",
			ok:   true,
		},
		{
			name:  "skips without leave",
			allow: []string{"soak:"},
			in: `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: no redis-server\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"skip","Package":"p","Test":"TestC"}
`,
			want: "SKIP  not allowed: p TestB: no redis-server\nSKIP  not allowed: p TestC: no reason given\n" +
				"2 skipped without leave\n1 passed, 0 failed, 2 skipped\n",
		},
		{
			name: "other lines pass",
			in:   "go: a warning\n" + `{"Action":"pass","Package":"p","Test":"TestA"}`,
			want: "go: a warning\n1 passed, 0 failed, 0 skipped\n",
			ok:   true,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			s := newSummary(&out)
			s.allow = c.allow
			require.NoError(t, s.read(strings.NewReader(c.in)))
			require.Equal(t, c.ok, s.finish())
			require.Equal(t, c.want, out.String())
		})
	}
}

// TestTotal counts a test that several runs have once, by its worst result,
// and as skipped only if every run skipped it.
func TestTotal(t *testing.T) {
	var out strings.Builder
	s := newSummary(&out)
	s.allow = []string{""}
	for _, run := range []string{
		`{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p","Test":"TestC"}`,
		`{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p","Test":"TestC"}`,
	} {
		require.NoError(t, s.read(strings.NewReader(run)))
	}
	out.Reset()
	require.False(t, s.finish())
	require.Equal(t, "1 passed, 1 failed, 1 skipped\n", out.String())
}
