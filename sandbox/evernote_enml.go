package main

import (
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// enmlElements are the elements of enml2.dtd that hold text or media. What a browser would run is not among them.
var enmlElements = map[string]bool{}

func init() {
	for name := range strings.FieldsSeq("en-note en-media en-todo a abbr acronym address b bdo big blockquote br caption center cite " +
		"code col colgroup dd del dfn div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q s samp small span strike " +
		"strong sub sup table tbody td tfoot th thead tr tt u ul var") {
		enmlElements[name] = true
	}
}

// checkENML says what is wrong with a note's content: it is XML with the ENML document type, its root is en-note, only
// elements of ENML are in it, and every en-media names a resource of the note by its MD5.
func checkENML(content string, resources []edamResource) error {
	hashes := map[string]bool{}
	for _, r := range resources {
		hashes[hex.EncodeToString(r.hash)] = true
	}
	d := xml.NewDecoder(strings.NewReader(content))
	depth, roots, typed := 0, 0, false
	for {
		token, err := d.Token()
		if err == io.EOF {
			if roots != 1 {
				return errors.New("there is no en-note")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch x := token.(type) {
		case xml.Directive:
			typed = strings.HasPrefix(string(x), "DOCTYPE en-note") && strings.Contains(string(x), "enml2.dtd")
		case xml.StartElement:
			if err := checkElement(x, depth, typed, hashes); err != nil {
				return err
			}
			if depth++; depth == 1 {
				roots++
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(x)) != "" {
				return errors.New("text outside en-note")
			}
		}
	}
}

func checkElement(x xml.StartElement, depth int, typed bool, hashes map[string]bool) error {
	name := x.Name.Local
	switch {
	case x.Name.Space != "" || !enmlElements[name]:
		return fmt.Errorf("element %q is not allowed", name)
	case depth == 0 && !typed:
		return errors.New("the document type is not that of ENML")
	case (depth == 0) != (name == "en-note"):
		return fmt.Errorf("element %q is in the wrong place", name)
	}
	attributes := map[string]string{}
	for _, a := range x.Attr {
		if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") || a.Name.Local == "id" || a.Name.Local == "class" {
			return fmt.Errorf("attribute %q is not allowed", a.Name.Local)
		}
		attributes[a.Name.Local] = a.Value
	}
	if name == "en-media" {
		if attributes["type"] == "" {
			return errors.New("en-media has no type")
		}
		if !hashes[attributes["hash"]] {
			return fmt.Errorf("en-media names no resource of the note: %q", attributes["hash"])
		}
	}
	return nil
}
