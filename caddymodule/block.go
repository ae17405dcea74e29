package caddymodule

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// option reads one line of a Caddyfile block; the dispenser stands on the option's name.
type option struct {
	// read consumes the arguments, and the nested block where there is one.
	read func(d *caddyfile.Dispenser) error
	// repeats allows the option more than once in a block.
	repeats bool
}

// block is the options of a Caddyfile block by their names.
type block map[string]option

// parse reads a whole block. Unknown and repeated options are refused with the file, the line and the choices.
func (b block) parse(d *caddyfile.Dispenser, what string) error {
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		name := d.Val()
		o, known := b[name]
		if !known {
			return d.Errf("unknown option %q of %s; choose one of %s", name, what, choices(slices.Collect(maps.Keys(b))))
		}
		if seen[name] && !o.repeats {
			return d.Errf("option %q of %s is given twice", name, what)
		}
		seen[name] = true
		if err := o.read(d); err != nil {
			return err
		}
	}
	return nil
}

// choices lists names in a stable order, for a sentence.
func choices(names []string) string {
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// once wraps a reader as an option that may stand once.
func once(read func(d *caddyfile.Dispenser) error) option { return option{read: read} }

// many wraps a reader as an option that may stand several times.
func many(read func(d *caddyfile.Dispenser) error) option { return option{read: read, repeats: true} }

// text reads exactly one argument.
func text(into *string) option {
	return once(func(d *caddyfile.Dispenser) error { return oneArg(d, into) })
}

// texts reads one or more arguments.
func texts(into *[]string) option {
	return once(func(d *caddyfile.Dispenser) error {
		args := d.RemainingArgs()
		if len(args) == 0 {
			return d.ArgErr()
		}
		*into = args
		return nil
	})
}

// present takes no argument: that it stands there is the value.
func present(into *bool) option {
	return once(func(d *caddyfile.Dispenser) error {
		if d.NextArg() {
			return d.ArgErr()
		}
		*into = true
		return nil
	})
}

// unmarshaler is a value with a text form of its own.
type unmarshaler interface {
	parseText(s string) error
	isZero() bool
}

// value reads one argument by the value's own text form. Nothing is no bound here, so 0 is refused.
func value(into unmarshaler) option {
	return once(func(d *caddyfile.Dispenser) error {
		name := d.Val()
		if err := anyValue(into).read(d); err != nil {
			return err
		}
		if into.isZero() {
			return d.Errf("%s: it must be more than 0; leave the line out for the default", name)
		}
		return nil
	})
}

// anyValue reads one argument, which may be 0.
func anyValue(into unmarshaler) option {
	return once(func(d *caddyfile.Dispenser) error {
		name := d.Val()
		var s string
		if err := oneArg(d, &s); err != nil {
			return err
		}
		if err := into.parseText(s); err != nil {
			return d.Errf("%s: %v", name, err)
		}
		return nil
	})
}

// optional reads one duration where none and 0 are different things.
func optional(into **Duration) option {
	return once(func(d *caddyfile.Dispenser) error {
		*into = new(Duration)
		return anyValue(*into).read(d)
	})
}

// choice reads one argument out of a list.
func choice(into *string, allowed ...string) option {
	return once(func(d *caddyfile.Dispenser) error {
		name := d.Val()
		if err := oneArg(d, into); err != nil {
			return err
		}
		if !slices.Contains(allowed, *into) {
			return d.Errf("%s: %q is not known; choose one of %s", name, *into, choices(allowed))
		}
		return nil
	})
}

// headers collects lines of `header NAME VALUE`.
func headers(into *map[string]string) option { return pairs("header", into) }

// pairs collects lines of `WHAT NAME VALUE`.
func pairs(what string, into *map[string]string) option {
	return many(func(d *caddyfile.Dispenser) error {
		args := d.RemainingArgs()
		if len(args) != 2 {
			return d.ArgErr()
		}
		if *into == nil {
			*into = make(map[string]string)
		}
		if _, taken := (*into)[args[0]]; taken {
			return d.Errf("%s %q is given twice", what, args[0])
		}
		(*into)[args[0]] = args[1]
		return nil
	})
}

func oneArg(d *caddyfile.Dispenser, into *string) error {
	if !d.AllArgs(into) {
		return d.ArgErr()
	}
	return nil
}

// number reads one whole number within bounds.
func number(into *int, low, high int) option {
	return once(func(d *caddyfile.Dispenser) error {
		name := d.Val()
		var s string
		if err := oneArg(d, &s); err != nil {
			return err
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return d.Errf("%s: %q is not a whole number from %d to %d", name, s, low, high)
		}
		*into = n
		return nil
	})
}
