package brock_test

import (
	"fmt"
	"log"

	"github.com/brockdb/brock"
)

func ExampleDB_XAdd() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	for _, name := range []string{"created", "paid", "sent"} {
		if _, err := db.XAdd("order:7", brock.AutoSeq(1_700_000_000_000), brock.F("event", name)); err != nil {
			log.Fatal(err)
		}
	}
	entries, err := db.XRange("order:7", brock.StreamID{}, brock.MaxStreamID(), 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		fmt.Printf("%s %s=%s\n", e.ID, e.Fields[0].Field, e.Fields[0].Value)
	}
	_, err = db.XAdd("order:7", brock.StreamID{Ms: 5}, brock.F("event", "too late"))
	fmt.Println(err)
	// Output:
	// 1700000000000-0 event=created
	// 1700000000000-1 event=paid
	// brock: stream id too small
}
