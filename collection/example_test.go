package collection_test

import (
	"context"
	"fmt"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/source"
)

func Example() {
	path, err := source.ParseTemplate("{fonds}/{item}.tif")
	if err != nil {
		fmt.Println(err)
		return
	}
	drawings, err := collection.New(collection.Config{
		Name:       "drawings",
		Identifier: []string{`(?P<fonds>[^:]+):(?P<item>.+)`},
		Places:     map[string]collection.Place{"main": {Source: &fakeSource{}, Kind: source.KindS3, Path: path}},
	}, collection.Deps{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer drawings.Close()
	lookup := drawings.Lookup("city%3Aplan-7")
	groups, _ := lookup.Identifier(context.Background())
	item, _ := lookup.Item(context.Background())
	fmt.Println(groups["fonds"], groups["item"], item.Path)

	_, err = drawings.Lookup("plan-7").Identifier(context.Background())
	fmt.Println(err)
	// Output:
	// city plan-7 city/plan-7.tif
	// bad_identifier: Invalid formatted url: it matches no pattern
}
