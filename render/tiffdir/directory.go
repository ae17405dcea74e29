package tiffdir

// Fields that are read; all others are skipped (TIFF 6.0 §8, §15; Adobe TIFF Technical Note 1 for SubIFDs; ICC.1 annex
// B for the profile).
const (
	tagSubfile         = 254
	tagOldSubfile      = 255
	tagWidth           = 256
	tagHeight          = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagOrientation     = 274
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagXResolution     = 282
	tagYResolution     = 283
	tagPlanarConfig    = 284
	tagResolutionUnit  = 296
	tagPredictor       = 317
	tagTileWidth       = 322
	tagTileHeight      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagSubIFDs         = 330
	tagExtraSamples    = 338
	tagSampleFormat    = 339
	tagJPEGTables      = 347
	tagProfile         = 34675
)

// field is one entry of a directory, its values not yet read.
type field struct {
	tag   int64
	width int
	count int64
	// at is where the values stand.
	at int64
}

// typeRational is the type of the fields that hold a resolution, and of no other that is read.
const typeRational = 5

// typeWidth is the size of one value of a field type that holds unsigned numbers or bytes; 0 for the others.
func typeWidth(kind int64) int {
	switch kind {
	case 1, 7: // BYTE, UNDEFINED
		return 1
	case 3: // SHORT
		return 2
	case 4, 13: // LONG, IFD
		return 4
	case 16, 18: // LONG8, IFD8
		return 8
	case typeRational: // two LONGs
		return 8
	}
	return 0
}

// directory reads the directory at off and gives the offset of the one after it, 0 at the end.
func (p *parser) directory(off int64) (Directory, int64, error) {
	if p.seen[off] {
		return Directory{}, 0, malformed("its directories form a loop")
	}
	if len(p.seen) >= maxDirectories {
		return Directory{}, 0, malformed("it holds more than %d directories", maxDirectories)
	}
	p.seen[off] = true
	countWidth, entryWidth, pointerWidth := 2, 12, 4
	if p.big {
		countWidth, entryWidth, pointerWidth = 8, 20, 8
	}
	count, err := p.number(off, countWidth)
	if err != nil {
		return Directory{}, 0, err
	}
	if count == 0 || count > maxEntries {
		return Directory{}, 0, malformed("a directory of %d fields", count)
	}
	d := Directory{Offset: off, Next: off + int64(countWidth) + count*int64(entryWidth)}
	next, err := p.number(d.Next, pointerWidth)
	if err != nil {
		return Directory{}, 0, err
	}
	// All entries first: they lie in the block that is there, values may lie anywhere.
	fields := make([]field, 0, count)
	for i := range count {
		f, err := p.field(off + int64(countWidth) + i*int64(entryWidth))
		if err != nil {
			return Directory{}, 0, err
		}
		fields = append(fields, f)
	}
	for _, f := range fields {
		if err := p.apply(&d, f); err != nil {
			return Directory{}, 0, err
		}
	}
	return d, next, d.check()
}

// field reads the entry at off. Values that fit into the entry stand in it, others where it points.
func (p *parser) field(off int64) (field, error) {
	countWidth := 4
	if p.big {
		countWidth = 8
	}
	tag, err := p.number(off, 2)
	if err != nil {
		return field{}, err
	}
	kind, err := p.number(off+2, 2)
	if err != nil {
		return field{}, err
	}
	f := field{tag: tag, width: typeWidth(kind), at: off + 4 + int64(countWidth)}
	if resolution := tag == tagXResolution || tag == tagYResolution; resolution != (kind == typeRational) {
		f.width = 0
	}
	if f.width == 0 {
		return f, nil
	}
	if f.count, err = p.number(off+4, countWidth); err != nil {
		return field{}, err
	}
	if f.count > int64(countWidth/f.width) {
		if f.at, err = p.number(f.at, countWidth); err != nil {
			return field{}, err
		}
	}
	return f, nil
}

// apply puts the value of a field that matters into d.
func (p *parser) apply(d *Directory, f field) error {
	if f.width == 0 || f.count == 0 {
		return nil
	}
	switch f.tag {
	case tagSubIFDs:
		list, err := p.list(f, maxSubDirectories)
		d.sub = list
		return err
	case tagExtraSamples:
		list, err := p.list(f, maxSubDirectories)
		for _, v := range list {
			d.ExtraSamples = append(d.ExtraSamples, int(v))
		}
		return err
	case tagProfile:
		if f.width != 1 || f.at > p.size || f.count > p.size-f.at {
			return malformed("the profile lies outside the file")
		}
		d.Profile = Span{Offset: f.at, Length: f.count}
		return nil
	case tagJPEGTables:
		// What lies outside the file is left to who needs it: the decoder may do without.
		if f.width == 1 && f.at <= p.size && f.count <= p.size-f.at {
			d.JPEGTables = Span{Offset: f.at, Length: f.count}
		}
		return nil
	case tagTileOffsets:
		d.TileOffsets = Table{Offset: f.at, Count: f.count, Width: f.width}
		return nil
	case tagTileByteCounts:
		d.TileByteCounts = Table{Offset: f.at, Count: f.count, Width: f.width}
		return nil
	case tagXResolution, tagYResolution:
		v, err := p.rational(f.at)
		if f.tag == tagXResolution {
			d.XResolution = v
		} else {
			d.YResolution = v
		}
		return err
	}
	target := d.target(f.tag)
	if target == nil && f.tag != tagSubfile && f.tag != tagOldSubfile {
		return nil
	}
	v, err := p.number(f.at, f.width)
	if err != nil {
		return err
	}
	switch {
	case f.tag == tagSubfile:
		d.Subfile = uint32(v & 0xFFFFFFFF)
	case f.tag == tagOldSubfile:
		// 2 is a reduced picture, 3 a page of several (TIFF 6.0 SubfileType).
		if v == 2 {
			d.Subfile |= SubfileReduced
		}
	case v > 1<<31-1 && f.tag != tagRowsPerStrip:
		return malformed("field %d has the value %d", f.tag, v)
	default:
		*target = int(min(v, 1<<31-1))
	}
	return nil
}

// rational reads a quotient; one by zero is 0.
func (p *parser) rational(at int64) (float64, error) {
	numerator, err := p.number(at, 4)
	if err != nil {
		return 0, err
	}
	denominator, err := p.number(at+4, 4)
	if err != nil || denominator == 0 {
		return 0, err
	}
	return float64(numerator) / float64(denominator), nil
}

// target is where the first value of a field goes.
func (d *Directory) target(tag int64) *int {
	switch tag {
	case tagWidth:
		return &d.Width
	case tagHeight:
		return &d.Height
	case tagBitsPerSample:
		return &d.BitsPerSample
	case tagCompression:
		return &d.Compression
	case tagPhotometric:
		return &d.Photometric
	case tagFillOrder:
		return &d.FillOrder
	case tagPredictor:
		return &d.Predictor
	case tagOrientation:
		return &d.Orientation
	case tagSamplesPerPixel:
		return &d.SamplesPerPixel
	case tagRowsPerStrip:
		return &d.RowsPerStrip
	case tagPlanarConfig:
		return &d.PlanarConfig
	case tagResolutionUnit:
		return &d.resolutionUnit
	case tagTileWidth:
		return &d.TileWidth
	case tagTileHeight:
		return &d.TileHeight
	case tagSampleFormat:
		return &d.SampleFormat
	}
	return nil
}

// list reads up to limit values of a field.
func (p *parser) list(f field, limit int64) ([]int64, error) {
	if f.count > limit {
		return nil, malformed("field %d has %d values", f.tag, f.count)
	}
	values := make([]int64, 0, f.count)
	for i := range f.count {
		v, err := p.number(f.at+i*int64(f.width), f.width)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// check fills in the defaults of TIFF 6.0 §8 and refuses what cannot be a picture.
func (d *Directory) check() error {
	if d.Width < 1 || d.Height < 1 || d.Width > maxSide || d.Height > maxSide {
		return malformed("a picture of %d x %d", d.Width, d.Height)
	}
	if (d.TileWidth > 0) != (d.TileHeight > 0) {
		return malformed("tiles of %d x %d", d.TileWidth, d.TileHeight)
	}
	if d.RowsPerStrip < 1 || d.RowsPerStrip > d.Height {
		d.RowsPerStrip = d.Height
	}
	for _, p := range []*int{&d.BitsPerSample, &d.Compression, &d.SamplesPerPixel, &d.PlanarConfig, &d.SampleFormat, &d.FillOrder, &d.Predictor} {
		if *p == 0 {
			*p = 1
		}
	}
	if d.Orientation < 1 || d.Orientation > 8 {
		d.Orientation = 1
	}
	d.measure()
	if d.BitsPerSample > 64 || d.SamplesPerPixel > 1024 {
		return malformed("pixels of %d samples of %d bits", d.SamplesPerPixel, d.BitsPerSample)
	}
	return nil
}

// Values of ResolutionUnit (TIFF 6.0 §8); inches are the default.
const (
	unitNone       = 1
	unitCentimetre = 3
)

// measure turns the resolution into pixels per millimetre. Without a unit it tells nothing.
func (d *Directory) measure() {
	perUnit := 25.4
	switch d.resolutionUnit {
	case unitNone:
		d.XResolution, d.YResolution = 0, 0
	case unitCentimetre:
		perUnit = 10
	}
	d.XResolution /= perUnit
	d.YResolution /= perUnit
}
