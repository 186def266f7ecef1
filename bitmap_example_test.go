package brock_test

import (
	"fmt"
	"log"

	"github.com/brockdb/brock"
)

func ExampleDB_SetBit() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	for _, visitor := range []int64{17, 4_000_000, 17} {
		before, err := db.SetBit("visitors:2024-05-01", visitor, true)
		fmt.Println(before, err)
	}
	visitors, err := db.BitCount("visitors:2024-05-01")
	fmt.Println(visitors, err)
	// Output:
	// false <nil>
	// false <nil>
	// true <nil>
	// 2 <nil>
}
