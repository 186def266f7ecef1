package brock_test

import (
	"fmt"
	"log"

	"github.com/brockdb/brock"
)

func ExampleDB_ZAdd() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	added, err := db.ZAdd("spent",
		brock.Z{Member: "ann", Score: 42},
		brock.Z{Member: "bob", Score: 7},
		brock.Z{Member: "cid", Score: 99.5},
	)
	fmt.Println(added, err)
	if _, err := db.ZAddOpt("spent", brock.ZAddOptions{GT: true}, brock.Z{Member: "bob", Score: 50}); err != nil {
		log.Fatal(err)
	}
	top, err := db.ZRange("spent", -2, -1)
	fmt.Println(top, err)
	rank, err := db.ZRank("spent", "ann")
	fmt.Println(rank, err)
	// Output:
	// 3 <nil>
	// [{bob 50} {cid 99.5}] <nil>
	// 0 <nil>
}
