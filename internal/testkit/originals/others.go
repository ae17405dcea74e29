package originals

func jpeg2000s() []Kind { return nil }
func webps() []Kind     { return nil }
func gifs() []Kind      { return nil }
func pdfs() []Kind      { return nil }
func demanded() []Kind  { return nil }
