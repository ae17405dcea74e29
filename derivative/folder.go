package derivative

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"log/slog"

	"github.com/gatehouse-server/gatehouse/internal/diskcache"
)

// folder keeps pictures in files, each behind what tells that it is whole: what a crash of the machine tore is as if it
// were not there.
type folder struct {
	*diskcache.Folder
	log *slog.Logger
}

const (
	// magic begins each file, so that no other file is ever taken for a picture; its last letter is the version.
	magic = "GHDERIV1"
	// headSize is magic, key, length and checksum.
	headSize = len(magic) + len(diskcache.Sum{}) + 8 + 4
)

var checksum = crc32.MakeTable(crc32.Castagnoli)

// get reads a picture.
func (f *folder) get(name diskcache.Name) ([]byte, bool) {
	file, info, ok := f.Open(name)
	if !ok {
		return nil, false
	}
	defer func() { _ = file.Close() }()
	if info.Size() < int64(headSize) || info.Size() > f.Limit() {
		return nil, false
	}
	content := make([]byte, info.Size())
	if _, err := file.ReadAt(content, 0); err != nil {
		return nil, false
	}
	data, ok := open(content, name.Key)
	if !ok {
		f.log.Warn("a picture in the cache folder is broken, and removed")
		f.Remove(name)
	}
	return data, ok
}

// seal puts what tells a whole file from a broken one in front of data.
func seal(data []byte, key diskcache.Sum) []byte {
	out := make([]byte, 0, headSize)
	out = append(append(out, magic...), key[:]...)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(data)))
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(data, checksum))
}

// open takes the data out of a file's content.
func open(content []byte, key diskcache.Sum) ([]byte, bool) {
	data := content[headSize:len(content):len(content)]
	if !bytes.Equal(content[:headSize], seal(data, key)) {
		return nil, false
	}
	return data, true
}

// put writes a picture. One that cannot be written is not kept, and nobody minds.
func (f *folder) put(name diskcache.Name, data []byte) {
	if !f.HasRoom(int64(headSize + len(data))) {
		return
	}
	if err := f.write(name, data); err != nil {
		f.log.Warn("a picture could not be kept in the cache folder", "error", err)
	}
}

func (f *folder) write(name diskcache.Name, data []byte) error {
	draft, err := f.Create()
	if err != nil {
		return err
	}
	if _, err = draft.Write(seal(data, name.Key)); err == nil {
		_, err = draft.Write(data)
	}
	if err != nil {
		draft.Discard()
		return err
	}
	return draft.Keep(name)
}
