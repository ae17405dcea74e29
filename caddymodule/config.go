package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// Config is the `gatehouse` block: what all routes share. In JSON it is the app `gatehouse`, with the same names.
type Config struct {
	// Where durable state lies. Default: bolt, in the folder "gatehouse" of Caddy's data directory.
	State *StateConfig `json:"state,omitempty"`
	// Identity providers whose bearer tokens are taken, by a name of your choice.
	Issuers map[string]*IssuerConfig `json:"issuer,omitempty"`
	// Tokens that are mailed as login links and come back in `?auth=`.
	MailLogin *MailLoginConfig `json:"mail_login,omitempty"`
	// Collections, by the name that routes use.
	Collections map[string]*CollectionConfig `json:"collection,omitempty"`
	// Limits of rendering.
	Images *ImagesConfig `json:"images,omitempty"`
	// What is kept of pictures that were made.
	Cache *CacheConfig `json:"cache,omitempty"`
	// Tiled pyramids that are made of flat and slow originals in the background.
	Pyramids *PyramidsConfig `json:"pyramids,omitempty"`
	// Marks that rules put on images, by a name of your choice.
	Watermarks map[string]*WatermarkConfig `json:"watermark,omitempty"`
	// Where originals that cannot be read by ranges are kept while they are used.
	Spool *SpoolConfig `json:"spool,omitempty"`
}

// UnmarshalCaddyfile reads the global option `gatehouse`.
func (c *Config) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.ArgErr()
	}
	return block{
		"state": once(func(d *caddyfile.Dispenser) error {
			c.State = new(StateConfig)
			return c.State.UnmarshalCaddyfile(d)
		}),
		"issuer": named(&c.Issuers, "issuer"),
		"mail_login": once(func(d *caddyfile.Dispenser) error {
			c.MailLogin = new(MailLoginConfig)
			return c.MailLogin.UnmarshalCaddyfile(d)
		}),
		"collection": named(&c.Collections, "collection"),
		"images": once(func(d *caddyfile.Dispenser) error {
			c.Images = new(ImagesConfig)
			return c.Images.UnmarshalCaddyfile(d)
		}),
		"cache": once(func(d *caddyfile.Dispenser) error {
			c.Cache = new(CacheConfig)
			return c.Cache.UnmarshalCaddyfile(d)
		}),
		"pyramids": once(func(d *caddyfile.Dispenser) error {
			c.Pyramids = new(PyramidsConfig)
			return c.Pyramids.UnmarshalCaddyfile(d)
		}),
		"watermark": named(&c.Watermarks, "watermark"),
		"spool": once(func(d *caddyfile.Dispenser) error {
			c.Spool = new(SpoolConfig)
			return c.Spool.UnmarshalCaddyfile(d)
		}),
	}.parse(d, "gatehouse")
}

// named reads blocks of the form `KIND NAME { … }` into a map by name.
func named[T any, P interface {
	*T
	caddyfile.Unmarshaler
}](into *map[string]*T, kind string) option {
	return many(func(d *caddyfile.Dispenser) error {
		if !d.NextArg() {
			return d.ArgErr()
		}
		name := d.Val()
		if _, taken := (*into)[name]; taken {
			return d.Errf("%s %q is given twice", kind, name)
		}
		if *into == nil {
			*into = make(map[string]*T)
		}
		value := new(T)
		(*into)[name] = value
		return P(value).UnmarshalCaddyfile(d)
	})
}

// StateConfig says where durable state lies.
type StateConfig struct {
	// The engine: "bolt", a file of this one node.
	Engine string `json:"engine,omitempty"`
	// The folder of the bolt file. It is created when missing.
	Path string `json:"path,omitempty"`
}

// UnmarshalCaddyfile reads `state bolt PATH`.
func (c *StateConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if !d.AllArgs(&c.Engine, &c.Path) {
		return d.Err("state takes an engine and its place: state bolt FOLDER")
	}
	if c.Engine != engineBolt {
		return d.Errf("state engine %q is not known; choose one of %s", c.Engine, engineBolt)
	}
	return nil
}

// engineBolt names the embedded state engine.
const engineBolt = "bolt"

// SpoolConfig bounds the local copies of originals whose archive cannot send ranges.
type SpoolConfig struct {
	// The folder. Default: "gatehouse-spool" in the system's folder for temporary files.
	Folder string `json:"folder,omitempty"`
	// How many bytes it may hold. Default: 10GiB.
	Size ByteSize `json:"size,omitempty"`
}

// UnmarshalCaddyfile reads `spool FOLDER SIZE`.
func (c *SpoolConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	var size string
	if !d.AllArgs(&c.Folder, &size) {
		return d.Err("spool takes a folder and a size: spool FOLDER 10GiB")
	}
	if err := c.Size.parseText(size); err != nil {
		return d.Errf("spool: %v", err)
	}
	if c.Size == 0 {
		return d.Err("spool: the size must be more than 0")
	}
	return nil
}

// ImagesConfig bounds rendering, whatever the input.
type ImagesConfig struct {
	// Which kinds of originals are opened. Default: jpeg png tiff webp gif jp2 pdf. On demand: heif avif jxl.
	Loaders []string `json:"loaders,omitempty"`
	// Where libvips runs. Default: in processes of its own, as many as workers.
	Isolation *IsolationConfig `json:"isolation,omitempty"`
	// In which order waiting pictures are made: "lanes", the default, for tiles before images and callers in turns, or
	// "shadow" for the order of asking, which only counts what the lanes would have done.
	Admission string `json:"admission,omitempty"`
	// How many pictures are rendered at once. Default: the number of processors.
	Workers int `json:"workers,omitempty"`
	// How many requests may wait for a worker before new ones are answered 503. Default: 64.
	Queue int `json:"queue,omitempty"`
	// What all renders that run at once may need, by estimate, and once more the finished pictures that wait for slow
	// readers. One that needs more runs alone. Default: 1GiB.
	Memory ByteSize `json:"memory,omitempty"`
	// How many pixels one request may decode. Default: 400MP.
	MaxPixels Pixels `json:"max_pixels,omitempty"`
	// How many pixels a tiled or pyramidal original may have. Default: 100000MP.
	MaxSourcePixels Pixels `json:"max_source_pixels,omitempty"`
	// The largest picture that is sent. Default: 8192x8192.
	MaxOutput Dimensions `json:"max_output,omitzero"`
	// How many pixels the largest picture has, where that is to be less than max_output allows.
	MaxArea Pixels `json:"max_area,omitempty"`
	// How long one picture may take to render. Default: 30s.
	TimeLimit Duration `json:"time_limit,omitempty"`
	// The resolution at which a PDF page's size in pixels is told. Default: 150.
	PDFDPI int `json:"pdf_dpi,omitempty"`
	// The quality of JPEG, WebP, AVIF and JPEG XL answers, 1 to 100. Default: 85, 80, 60 and 85.
	JPEGQuality int `json:"jpeg_quality,omitempty"`
	WebPQuality int `json:"webp_quality,omitempty"`
	AVIFQuality int `json:"avif_quality,omitempty"`
	JXLQuality  int `json:"jxl_quality,omitempty"`
	// The quality of JPEG 2000 answers as their ratio of signal to noise in dB, 1 to 100. Default: 48.
	JP2Quality int `json:"jp2_quality,omitempty"`
	// Whether JPEG tiles of TIFFs are answered as they lie in the file: "on", the default, or "off".
	StoredTiles string `json:"stored_tiles,omitempty"`
}

// UnmarshalCaddyfile reads the block `images`.
func (c *ImagesConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	return block{
		"loaders": texts(&c.Loaders),
		"isolation": once(func(d *caddyfile.Dispenser) error {
			c.Isolation = new(IsolationConfig)
			return c.Isolation.UnmarshalCaddyfile(d)
		}),
		"admission":         choice(&c.Admission, admissionLanes, admissionShadow),
		"workers":           number(&c.Workers, 1, 1024),
		"queue":             number(&c.Queue, 1, 1<<20),
		"memory":            value(&c.Memory),
		"max_pixels":        value(&c.MaxPixels),
		"max_source_pixels": value(&c.MaxSourcePixels),
		"max_output":        value(&c.MaxOutput),
		"max_area":          value(&c.MaxArea),
		"time_limit":        value(&c.TimeLimit),
		"pdf_dpi":           number(&c.PDFDPI, 18, 1200),
		"jpeg_quality":      number(&c.JPEGQuality, 1, 100),
		"webp_quality":      number(&c.WebPQuality, 1, 100),
		"avif_quality":      number(&c.AVIFQuality, 1, 100),
		"jxl_quality":       number(&c.JXLQuality, 1, 100),
		"jp2_quality":       number(&c.JP2Quality, 1, 100),
		"stored_tiles":      choice(&c.StoredTiles, choiceOn, choiceOff),
	}.parse(d, "images")
}

// The orders in which waiting pictures are made.
const (
	admissionLanes  = "lanes"
	admissionShadow = "shadow"
)

// What a switch may be.
const (
	choiceOn  = "on"
	choiceOff = "off"
)
