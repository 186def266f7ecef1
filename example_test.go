package brock_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/mq"
)

// exampleDB returns a database that the examples work on.
func exampleDB() *brock.DB {
	db, err := brock.OpenMemory(nil)
	must(err)
	return db
}

// must ends an example at an error.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// A program that keeps what it knows in a directory, and finds it there when
// it starts again.
func Example() {
	dir, err := os.MkdirTemp("", "brock-example-")
	must(err)
	defer os.RemoveAll(dir)

	for range 2 { // two runs of the program
		db, err := brock.Open(dir, nil)
		must(err)
		n, err := db.Incr("runs")
		must(err)
		_, err = db.LPush("log", fmt.Appendf(nil, "run %d", n))
		must(err)
		entries, err := db.LRange("log", 0, -1)
		must(err)
		fmt.Printf("%s\n", entries)
		must(db.Close())
	}
	// Output:
	// [run 1]
	// [run 2 run 1]
}

func ExampleOpen() {
	dir := filepath.Join(os.TempDir(), "brock-example-open")
	defer os.RemoveAll(dir)
	db, err := brock.Open(dir, &brock.Options{
		Durability:   brock.Relaxed, // changes are acknowledged before they are written
		MemoryBudget: 256 << 20,     // of values; keys are always in memory
	})
	must(err)
	defer db.Close()

	_, err = brock.Open(dir, nil) // a directory has one owner
	fmt.Println(errors.Is(err, brock.ErrLocked))
	// Output: true
}

// The transactions of the README: an order is paid, and the job that this makes
// is done.
func Example_queue() {
	db := exampleDB()
	defer db.Close()
	broker, err := mq.Open(db, nil)
	must(err)
	defer broker.Close()
	_, err = broker.DeclareQueue("jobs", nil)
	must(err)

	err = db.Update(func(tx *brock.Tx) error {
		if err := tx.Set("order:7", []byte("paid")); err != nil {
			return err
		}
		if _, err := tx.LPush("recent", []byte("order:7")); err != nil {
			return err
		}
		if _, err := tx.ZAdd("spent", brock.Z{Member: "ann", Score: 42}); err != nil {
			return err
		}
		return broker.PublishTx(tx, "", "jobs", mq.Message{Body: []byte("ship order:7")})
	}) // all four, or, on an error, a panic or a crash, none
	must(err)

	d, err := broker.Get("jobs") // its body, and what AckTx needs
	must(err)
	fmt.Printf("%s\n", d.Body)
	err = db.Update(func(tx *brock.Tx) error {
		if err := tx.Set("order:7", []byte("shipped")); err != nil {
			return err
		}
		return d.AckTx(tx)
	})
	must(err)

	state, err := db.Get("order:7")
	fmt.Printf("%s %v\n", state, err)
	_, err = broker.Get("jobs")
	fmt.Println(errors.Is(err, mq.ErrEmpty))
	// Output:
	// ship order:7
	// shipped <nil>
	// true
}

// An order is paid: its state, the list of recent orders, what the customer
// has spent, and the job for the warehouse change together, or not at all.
func ExampleDB_Update() {
	db := exampleDB()
	defer db.Close()
	broker, err := mq.Open(db, nil)
	must(err)
	defer broker.Close()
	_, err = broker.DeclareQueue("jobs", nil)
	must(err)

	pay := func(tx *brock.Tx, order, customer string, amount float64) error {
		if err := tx.Set(order, []byte("paid")); err != nil {
			return err
		}
		if _, err := tx.LPush("recent", []byte(order)); err != nil {
			return err
		}
		spent, err := tx.ZScore("spent", customer)
		if err != nil && !errors.Is(err, brock.ErrNotFound) {
			return err
		}
		if _, err := tx.ZAdd("spent", brock.Z{Member: customer, Score: spent + amount}); err != nil {
			return err
		}
		if err := broker.PublishTx(tx, "", "jobs", mq.Message{Body: []byte("ship " + order)}); err != nil {
			return err
		}
		if spent+amount > 100 {
			return errors.New("above the limit") // takes all of it back
		}
		return nil
	}
	err = db.Update(func(tx *brock.Tx) error { return pay(tx, "order:7", "ann", 42) })
	fmt.Println(err)
	err = db.Update(func(tx *brock.Tx) error { return pay(tx, "order:8", "ann", 99) })
	fmt.Println(err)

	spent, err := db.ZScore("spent", "ann")
	fmt.Println(spent, err)
	for {
		d, err := broker.Get("jobs")
		if errors.Is(err, mq.ErrEmpty) {
			break
		}
		must(err)
		// To ship and to acknowledge is one step, too.
		must(db.Update(func(tx *brock.Tx) error {
			if err := tx.Set("order:7", []byte("shipped")); err != nil {
				return err
			}
			return d.AckTx(tx)
		}))
		fmt.Printf("%s\n", d.Body)
	}
	// Output:
	// <nil>
	// above the limit
	// 42 <nil>
	// ship order:7
}

// A View sees one state, however long it takes and whatever others write.
func ExampleDB_View() {
	db := exampleDB()
	defer db.Close()
	must(db.MSet(brock.KV{Key: "a", Value: []byte("1")}, brock.KV{Key: "b", Value: []byte("1")}))

	err := db.View(func(tx *brock.Tx) error {
		a, err := tx.Get("a")
		if err != nil {
			return err
		}
		// A writer changes both in between; the View does not notice.
		if err := db.MSet(brock.KV{Key: "a", Value: []byte("2")}, brock.KV{Key: "b", Value: []byte("2")}); err != nil {
			return err
		}
		b, err := tx.Get("b")
		if err != nil {
			return err
		}
		fmt.Printf("%s %s\n", a, b)
		return nil
	})
	must(err)
	values, err := db.MGet("a", "b")
	fmt.Printf("%s %v\n", values, err)
	// Output:
	// 1 1
	// [2 2] <nil>
}

// A pipeline makes many changes with one wait for durability. Each stands for
// itself: that one fails does not concern the others.
func ExampleDB_Pipelined() {
	db := exampleDB()
	defer db.Close()
	err := db.Pipelined(func(p *brock.Pipe) error {
		for i := range 1000 {
			if err := p.Set(fmt.Sprint("key:", i), []byte("value")); err != nil {
				return err
			}
		}
		_, err := p.Incr("key:0")
		return err
	})
	fmt.Println(err)
	n, err := db.DBSize()
	fmt.Println(n, err)
	// Output:
	// incr "key:0": brock: not an integer
	// 1000 <nil>
}

func ExampleDB_Set() {
	db := exampleDB()
	defer db.Close()
	must(db.Set("greeting", []byte("hello")))
	value, err := db.Get("greeting")
	fmt.Printf("%s %v\n", value, err)

	must(db.Set("session:7", []byte("ann"), brock.EX(30*time.Minute)))
	ttl, err := db.TTL("session:7")
	fmt.Println(ttl, err)

	err = db.Set("lock", []byte("me"), brock.NX, brock.PX(500*time.Millisecond))
	fmt.Println(err)
	err = db.Set("lock", []byte("you"), brock.NX)
	fmt.Println(errors.Is(err, brock.ErrNotSet))

	_, err = db.Get("absent")
	fmt.Println(errors.Is(err, brock.ErrNotFound))
	// Output:
	// hello <nil>
	// 30m0s <nil>
	// <nil>
	// true
	// true
}

func ExampleDB_IncrBy() {
	db := exampleDB()
	defer db.Close()
	fmt.Println(db.Incr("hits"))
	fmt.Println(db.IncrBy("hits", 41))
	must(db.Set("name", []byte("ann")))
	_, err := db.Incr("name")
	fmt.Println(errors.Is(err, brock.ErrNotInteger), brock.RedisError(err))
	// Output:
	// 1 <nil>
	// 42 <nil>
	// true ERR value is not an integer or out of range
}

func ExampleDB_SetGet() {
	db := exampleDB()
	defer db.Close()
	must(db.SetEX("leader", []byte("ann"), time.Minute))
	old, err := db.SetGet("leader", []byte("bob"), brock.NX)
	fmt.Printf("%s %v\n", old, errors.Is(err, brock.ErrNotSet)) // who has it, since it was refused
	old, err = db.SetGet("leader", []byte("bob"), brock.KeepTTL)
	fmt.Printf("%s %v\n", old, err)
	value, err := db.GetEx("leader", brock.Persist)
	fmt.Printf("%s %v\n", value, err)
	// Output:
	// ann true
	// ann <nil>
	// bob <nil>
}

func ExampleDB_IncrByFloat() {
	db := exampleDB()
	defer db.Close()
	must(db.Set("sum", []byte("0.1")))
	fmt.Println(db.IncrByFloat("sum", 0.2))
	fmt.Println(db.IncrByDecimal("sum", "-3e-1"))
	// Output:
	// 0.3 <nil>
	// 0 <nil>
}

func ExampleDB_LCSIdx() {
	db := exampleDB()
	defer db.Close()
	must(db.MSet(brock.KV{Key: "a", Value: []byte("ohmytext")}, brock.KV{Key: "b", Value: []byte("mynewtext")}))
	common, err := db.LCS("a", "b")
	fmt.Printf("%s %v\n", common, err)
	matches, length, err := db.LCSIdx("a", "b", 2)
	fmt.Println(matches, length, err)
	// Output:
	// mytext <nil>
	// [{{4 7} {5 8} 4} {{2 3} {0 1} 2}] 6 <nil>
}

func ExampleDB_SetRange() {
	db := exampleDB()
	defer db.Close()
	fmt.Println(db.Append("s", []byte("hello world")))
	fmt.Println(db.SetRange("s", 6, []byte("brock")))
	part, err := db.GetRange("s", -5, -1)
	fmt.Printf("%s %v\n", part, err)
	// Output:
	// 11 <nil>
	// 11 <nil>
	// brock <nil>
}

func ExampleDB_Rename() {
	db := exampleDB()
	defer db.Close()
	must(db.Set("a", []byte("1")))
	must(db.Rename("a", "b"))
	fmt.Println(db.Copy("b", "c"))
	fmt.Println(db.Move("c", 1))
	fmt.Println(db.Exists("a", "b", "c"))
	fmt.Println(db.DB(1).Exists("c"))
	fmt.Println(db.Del("a", "b"))
	// Output:
	// true <nil>
	// true <nil>
	// 1 <nil>
	// 1 <nil>
	// 1 <nil>
}

func ExampleDB_Scan() {
	db := exampleDB()
	defer db.Close()
	for i := range 100 {
		must(db.Set(fmt.Sprint("user:", i), nil))
		must(db.Set(fmt.Sprint("order:", i), nil))
	}
	n := 0
	for cursor := uint64(0); ; {
		keys, next, err := db.Scan(cursor, &brock.ScanOptions{Match: "user:*", Count: 50})
		must(err)
		n += len(keys)
		if cursor = next; cursor == 0 {
			break
		}
	}
	fmt.Println(n)
	// Output: 100
}

// The body of the loop may change anything, also what it iterates over.
func ExampleDB_ScanKeys() {
	db := exampleDB()
	defer db.Close()
	for i := range 100 {
		must(db.Set(fmt.Sprint("tmp:", i), nil))
	}
	for key, err := range db.ScanKeys(&brock.ScanOptions{Match: "tmp:*"}) {
		must(err)
		_, err := db.Unlink(key)
		must(err)
	}
	fmt.Println(db.DBSize())
	// Output: 0 <nil>
}

func ExampleDB_Backup() {
	dir, err := os.MkdirTemp("", "brock-example-")
	must(err)
	defer os.RemoveAll(dir)
	db, err := brock.Open(filepath.Join(dir, "data"), nil)
	must(err)
	defer db.Close()
	must(db.Set("a", []byte("1")))

	var file bytes.Buffer
	must(db.Backup(&file)) // as of this moment, while writers go on
	must(db.Set("a", []byte("2")))

	must(brock.Restore(&file, filepath.Join(dir, "copy")))
	restored, err := brock.Open(filepath.Join(dir, "copy"), nil)
	must(err)
	defer restored.Close()
	value, err := restored.Get("a")
	fmt.Printf("%s %v\n", value, err)
	// Output: 1 <nil>
}

// Daily visitors in one bit each.
func ExampleDB_SetBit() {
	db := exampleDB()
	defer db.Close()
	for _, visitor := range []int64{7, 1_000_000, 7} {
		before, err := db.SetBit("visitors:2026-03-02", visitor, true)
		fmt.Println(before, err)
	}
	fmt.Println(db.BitCount("visitors:2026-03-02"))
	// Output:
	// false <nil>
	// false <nil>
	// true <nil>
	// 2 <nil>
}

// Who came on both days, and who was the first.
func ExampleDB_BitOp() {
	db := exampleDB()
	defer db.Close()
	for _, visit := range []struct {
		day  string
		user int64
	}{{"mon", 3}, {"mon", 12}, {"tue", 12}, {"tue", 40}} {
		_, err := db.SetBit(visit.day, visit.user, true)
		must(err)
	}
	fmt.Println(db.BitOp(brock.And, "both", "mon", "tue"))
	fmt.Println(db.BitCount("both"))
	fmt.Println(db.BitPos("both", true))
	// Output:
	// 6 <nil>
	// 1 <nil>
	// 12 <nil>
}

// A counter of 8 bits that stops at its end, and one that does not go beyond.
func ExampleDB_BitField() {
	db := exampleDB()
	defer db.Close()
	health, lives := brock.Uint(8), brock.Int(4)
	fmt.Println(db.BitField("player:7",
		brock.BitSet{Type: health, Offset: 0, Value: 250},
		brock.Sat, brock.BitIncrBy{Type: health, Offset: 0, By: 10},
		brock.Fail, brock.BitIncrBy{Type: lives, Offset: 8, By: 8}))
	fmt.Println(db.BitFieldRO("player:7", brock.BitGet{Type: health, Offset: 0}))
	// Output:
	// [{0 true} {255 true} {0 false}] <nil>
	// [255] <nil>
}

func ExampleDB_ZAdd() {
	db := exampleDB()
	defer db.Close()
	_, err := db.ZAdd("scores", brock.Z{Member: "ann", Score: 310}, brock.Z{Member: "bob", Score: 240}, brock.Z{Member: "eve", Score: 275})
	must(err)
	best, err := db.ZRange("scores", -2, -1) // the two with the highest scores
	fmt.Println(best, err)
	fmt.Println(db.ZRank("scores", "eve"))
	// Output:
	// [{eve 275} {ann 310}] <nil>
	// 1 <nil>
}

func ExampleDB_XAdd() {
	db := exampleDB()
	defer db.Close()
	for i, text := range []string{"started", "ready"} {
		id, err := db.XAdd("events", brock.StreamID{Ms: 1000, Seq: uint64(i)}, brock.F("text", text))
		fmt.Println(id, err)
	}
	_, err := db.XAdd("events", brock.AutoID(), brock.F("text", "stopped")) // with the time as its id
	must(err)
	entries, err := db.XRange("events", brock.StreamID{Ms: 1000}, brock.StreamID{Ms: 1000, Seq: 99}, -1)
	must(err)
	for _, e := range entries {
		fmt.Printf("%v %s=%s\n", e.ID, e.Fields[0].Field, e.Fields[0].Value)
	}
	fmt.Println(db.XLen("events"))
	// Output:
	// 1000-0 <nil>
	// 1000-1 <nil>
	// 1000-0 text=started
	// 1000-1 text=ready
	// 3 <nil>
}
