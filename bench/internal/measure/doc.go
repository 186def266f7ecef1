// Package measure is what the benchmarks here and in bench/compare share: keys
// and values, what the operating system tells about a process, summaries of
// rates and latencies, and child processes to be measured or killed. It starts
// no goroutines and knows no database.
package measure
