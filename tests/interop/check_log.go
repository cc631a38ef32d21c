// check_log reads a published log as Go's own packages understand it: golang.org/x/mod/sumdb/note
// for signatures, golang.org/x/mod/sumdb/tlog for the tree and for proofs. Nothing of the project is
// used here, so that what it says is a second opinion.
//
//	check_log DIR VKEY                   DIR/checkpoint and the tiles it needs
//	check_log DIR VKEY NOTES PROOFS      each checkpoint NOTES/N, and the proofs, one a line:
//	                                     {"size":N,"index":I,"text":"c2sp.org/tlog-proof@v1\n…"}
//	                                     {"size":N,"old":M,"text":"old M\n…"}
//
// Prints what it has checked, one count a line; exits with 1 at the first thing that is wrong.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileWidth = 256

type checkpoint struct {
	size int64
	root tlog.Hash
}

// log is what was read so far: the leaves in order, and Go's hashes over them.
type log struct {
	dir    string
	keys   note.Verifiers
	origin string
	leaves [][]byte
	hashes []tlog.Hash
	roots  map[int64]tlog.Hash
	tiles  int
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "check_log: "+format+"\n", args...)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

// tilePath writes N in groups of three digits: x001/x234/067.
func tilePath(kind string, n int64, width int) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	if width < tileWidth {
		name += ".p/" + strconv.Itoa(width)
	}
	return "tile/" + kind + "/" + name
}

func (l *log) read(path string) []byte {
	return must(os.ReadFile(filepath.Join(l.dir, path)))
}

func (l *log) open(signed []byte) checkpoint {
	opened := must(note.Open(signed, l.keys))
	if len(opened.Sigs) != 1 {
		fail("%d signatures of the key, expected 1", len(opened.Sigs))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != l.origin {
		fail("not a checkpoint of %s: %q", l.origin, opened.Text)
	}
	size := must(strconv.ParseInt(lines[1], 10, 64))
	return checkpoint{size, must(tlog.ParseHash(lines[2]))}
}

func (l *log) reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, index := range indexes {
			out = append(out, l.hashes[index])
		}
		return out, nil
	})
}

// bundle splits an entry bundle of exactly width entries.
func bundle(bytes []byte, width int, path string) [][]byte {
	var entries [][]byte
	for len(bytes) > 0 {
		if len(bytes) < 2 || len(bytes)-2 < int(binary.BigEndian.Uint16(bytes)) {
			fail("%s: cut off in entry %d", path, len(entries))
		}
		end := 2 + int(binary.BigEndian.Uint16(bytes))
		entries = append(entries, bytes[2:end])
		bytes = bytes[end:]
	}
	if len(entries) != width {
		fail("%s: %d entries, expected %d", path, len(entries), width)
	}
	return entries
}

// grow appends the leaves up to size, and holds those that are known against what is published.
func (l *log) grow(size int64) {
	for n := int64(0); n*tileWidth < size; n++ {
		width := int(min(tileWidth, size-n*tileWidth))
		path := tilePath("entries", n, width)
		l.tiles++
		for i, entry := range bundle(l.read(path), width, path) {
			at := n*tileWidth + int64(i)
			if at < int64(len(l.leaves)) {
				if !bytes.Equal(entry, l.leaves[at]) {
					fail("%s: entry %d is not what it was", path, at)
				}
				continue
			}
			l.leaves = append(l.leaves, entry)
			l.hashes = append(l.hashes, must(tlog.StoredHashes(at, entry, l.reader()))...)
		}
	}
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

// compareTiles holds each tile of hashes that a tree of this size has against Go's own hashes.
func (l *log) compareTiles(size int64) {
	level := 0
	for nodes := size; nodes > 0; nodes /= tileWidth {
		for n := int64(0); n*tileWidth < nodes; n++ {
			width := min(tileWidth, nodes-n*tileWidth)
			path := tilePath(strconv.Itoa(level), n, int(width))
			var expected []byte
			for i := int64(0); i < width; i++ {
				hash := l.hashes[tlog.StoredHashIndex(level*8, n*tileWidth+i)]
				expected = append(expected, hash[:]...)
			}
			if !bytes.Equal(l.read(path), expected) {
				fail("%s: other hashes than Go's", path)
			}
			l.tiles++
		}
		level++
	}
}

func (l *log) check(signed []byte) int64 {
	found := l.open(signed)
	l.grow(found.size)
	root := must(tlog.TreeHash(found.size, l.reader()))
	if root != found.root {
		fail("size %d: root %v, Go's is %v", found.size, found.root, root)
	}
	l.roots[found.size] = root
	l.compareTiles(found.size)
	return found.size
}

// hashLines takes the lines of base64 up to the empty one; the signed checkpoint follows it.
func hashLines(text string) ([]tlog.Hash, []byte) {
	var hashes []tlog.Hash
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			fail("a proof without an empty line")
		}
		if text = rest; line == "" {
			return hashes, []byte(text)
		}
		hashes = append(hashes, must(tlog.ParseHash(line)))
	}
}

type proofLine struct {
	Size  int64
	Index *int64
	Old   *int64
	Text  string
}

func (l *log) checkInclusion(proof proofLine) {
	header := fmt.Sprintf("c2sp.org/tlog-proof@v1\nextra %s\nindex %d\n",
		base64.StdEncoding.EncodeToString(l.leaves[*proof.Index]), *proof.Index)
	if !strings.HasPrefix(proof.Text, header) {
		fail("inclusion of %d: expected %q, found %q", *proof.Index, header, proof.Text)
	}
	hashes, signed := hashLines(strings.TrimPrefix(proof.Text, header))
	found := l.open(signed)
	leaf := tlog.RecordHash(l.leaves[*proof.Index])
	if err := tlog.CheckRecord(hashes, found.size, found.root, *proof.Index, leaf); err != nil {
		fail("inclusion of %d in %d: %v", *proof.Index, found.size, err)
	}
	goes := must(tlog.ProveRecord(proof.Size, *proof.Index, l.reader()))
	if found.size != proof.Size || !same(hashes, goes) {
		fail("inclusion of %d in %d: another proof than Go's", *proof.Index, proof.Size)
	}
}

func (l *log) checkConsistency(proof proofLine) {
	header := fmt.Sprintf("old %d\n", *proof.Old)
	if !strings.HasPrefix(proof.Text, header) {
		fail("consistency: expected %q, found %q", header, proof.Text)
	}
	hashes, signed := hashLines(strings.TrimPrefix(proof.Text, header))
	found := l.open(signed)
	err := tlog.CheckTree(hashes, found.size, found.root, *proof.Old, l.roots[*proof.Old])
	if err != nil {
		fail("consistency of %d and %d: %v", *proof.Old, found.size, err)
	}
	goes := must(tlog.ProveTree(proof.Size, *proof.Old, l.reader()))
	if found.size != proof.Size || !same(hashes, goes) {
		fail("consistency of %d and %d: another proof than Go's", *proof.Old, proof.Size)
	}
}

func same(a, b []tlog.Hash) bool {
	return len(a) == len(b) && (len(a) == 0 || reflect.DeepEqual(a, b))
}

func (l *log) checkProofs(path string) (inclusions, consistencies int) {
	file := must(os.Open(path))
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var proof proofLine
		if err := json.Unmarshal(lines.Bytes(), &proof); err != nil {
			fail("%s: %v", path, err)
		}
		if proof.Index != nil {
			l.checkInclusion(proof)
			inclusions++
		} else {
			l.checkConsistency(proof)
			consistencies++
		}
	}
	if err := lines.Err(); err != nil {
		fail("%s: %v", path, err)
	}
	return inclusions, consistencies
}

func main() {
	if len(os.Args) != 3 && len(os.Args) != 5 {
		fail("expected DIR VKEY [NOTES PROOFS]")
	}
	verifier := must(note.NewVerifier(strings.TrimSpace(os.Args[2])))
	l := &log{
		dir: os.Args[1], keys: note.VerifierList(verifier), origin: verifier.Name(),
		roots: map[int64]tlog.Hash{},
	}
	checkpoints, inclusions, consistencies := 0, 0, 0
	if len(os.Args) == 5 {
		for size := int64(1); ; size++ {
			signed, err := os.ReadFile(filepath.Join(os.Args[3], strconv.FormatInt(size, 10)))
			if os.IsNotExist(err) {
				break
			}
			if l.check(must(signed, err)) != size {
				fail("checkpoint %d is of another size", size)
			}
			checkpoints++
		}
		inclusions, consistencies = l.checkProofs(os.Args[4])
	}
	l.check(l.read("checkpoint"))
	fmt.Printf("checkpoints %d\nentries %d\ntiles %d\ninclusion proofs %d\nconsistency proofs %d\n",
		checkpoints+1, len(l.leaves), l.tiles, inclusions, consistencies)
}
