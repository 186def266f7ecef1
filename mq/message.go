package mq

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/brockdb/brock/internal/store"
)

// Message is a body with AMQP's properties, all of them optional: the broker
// carries them to whoever gets the message. A string is at most 255 bytes long.
type Message struct {
	// Body is what the message says: at most 512 MB. What a call is given is
	// copied, what it returns is the caller's to keep.
	Body []byte

	ContentType     string // MIME type of the body
	ContentEncoding string // MIME encoding of the body
	// DeliveryMode is Transient, Persistent or 0, which says nothing. A
	// durable queue keeps each message, as all queues here are.
	DeliveryMode  uint8
	Priority      uint8  // 0 to 9
	CorrelationID string // of a reply: the request's MessageID, or what it names itself by
	ReplyTo       string // the queue for a reply
	// Expiration is the time to live in ms, in digits. The broker carries it
	// and does not act on it yet.
	Expiration string
	MessageID  string    // the application's name for the message
	Timestamp  time.Time // cut to seconds, UTC when it comes back; the zero Time is none
	Type       string    // the application's name for the kind of message
	UserID     string    // who publishes
	AppID      string    // the application that publishes
}

// Values of Message.DeliveryMode.
const (
	Transient  = 1
	Persistent = 2
)

// A stored message is AMQP's property flags and property list, and the body:
//
//	0..2  flags, most significant byte first, as in AMQP's content header
//	...   the properties that are flagged, in this order: a string is a length
//	      byte and its bytes, a number one byte, the timestamp 8
//	...   the body
//
// Flags that have no property here are refused: bits 0 and 1 mean nothing to
// AMQP and are left for what comes later, such as the exchange and key of a
// message that came on another way than the default exchange.
const (
	flagContentType = 1 << (15 - iota)
	flagContentEncoding
	flagHeaders // not yet
	flagDeliveryMode
	flagPriority
	flagCorrelationID
	flagReplyTo
	flagExpiration
	flagMessageID
	flagTimestamp
	flagType
	flagUserID
	flagAppID

	knownFlags = flagContentType | flagContentEncoding | flagDeliveryMode | flagPriority | flagCorrelationID |
		flagReplyTo | flagExpiration | flagMessageID | flagTimestamp | flagType | flagUserID | flagAppID
)

// maxShort bounds AMQP's short strings, queue names among them.
const maxShort = 255

// shortString is a property that is one.
type shortString struct {
	flag  uint16
	name  string
	value *string
}

// before are the properties in front of the two numbers.
func (m *Message) before() [2]shortString {
	return [2]shortString{
		{flagContentType, "content type", &m.ContentType},
		{flagContentEncoding, "content encoding", &m.ContentEncoding},
	}
}

// middle are the properties between the numbers and the timestamp.
func (m *Message) middle() [4]shortString {
	return [4]shortString{
		{flagCorrelationID, "correlation id", &m.CorrelationID},
		{flagReplyTo, "reply to", &m.ReplyTo},
		{flagExpiration, "expiration", &m.Expiration},
		{flagMessageID, "message id", &m.MessageID},
	}
}

// behind are the properties behind the timestamp.
func (m *Message) behind() [3]shortString {
	return [3]shortString{
		{flagType, "type", &m.Type},
		{flagUserID, "user id", &m.UserID},
		{flagAppID, "app id", &m.AppID},
	}
}

// encode returns the message as it is stored.
func (m *Message) encode() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	before, middle, behind := m.before(), m.middle(), m.behind()
	b := make([]byte, 2, m.size())
	var flags uint16
	b, flags = appendShorts(b, flags, before[:])
	if m.DeliveryMode != 0 {
		b, flags = append(b, m.DeliveryMode), flags|flagDeliveryMode
	}
	if m.Priority != 0 {
		b, flags = append(b, m.Priority), flags|flagPriority
	}
	b, flags = appendShorts(b, flags, middle[:])
	if !m.Timestamp.IsZero() {
		b, flags = binary.BigEndian.AppendUint64(b, uint64(m.Timestamp.Unix())), flags|flagTimestamp
	}
	b, flags = appendShorts(b, flags, behind[:])
	binary.BigEndian.PutUint16(b, flags)
	return append(b, m.Body...), nil
}

// size returns at least the length of the encoded message.
func (m *Message) size() int {
	n := 2 + 2 + 8 + 9 + len(m.Body) // flags, numbers, timestamp, lengths
	n += len(m.ContentType) + len(m.ContentEncoding) + len(m.CorrelationID) + len(m.ReplyTo) + len(m.Expiration)
	return n + len(m.MessageID) + len(m.Type) + len(m.UserID) + len(m.AppID)
}

// check tells whether the properties are what AMQP admits.
func (m *Message) check() error {
	before, middle, behind := m.before(), m.middle(), m.behind()
	for _, list := range [...][]shortString{before[:], middle[:], behind[:]} {
		for _, p := range list {
			if len(*p.value) > maxShort {
				return fmt.Errorf("%w: %s of %d bytes", ErrTooLong, p.name, len(*p.value))
			}
		}
	}
	switch {
	case len(m.Body) > store.MaxString:
		return fmt.Errorf("%w: body of %d bytes", ErrTooLong, len(m.Body))
	case m.DeliveryMode > Persistent:
		return fmt.Errorf("%w: delivery mode %d", ErrProperty, m.DeliveryMode)
	case strings.Trim(m.Expiration, "0123456789") != "":
		return fmt.Errorf("%w: expiration %q", ErrProperty, m.Expiration)
	}
	return nil
}

// appendShorts appends the strings that are set, and adds their flags.
func appendShorts(b []byte, flags uint16, list []shortString) ([]byte, uint16) {
	for _, p := range list {
		if *p.value != "" {
			b, flags = append(append(b, byte(len(*p.value))), *p.value...), flags|p.flag
		}
	}
	return b, flags
}

// decodeMessage reads what encode wrote. Body is a part of b.
func decodeMessage(b []byte) (m Message, err error) {
	if len(b) < 2 {
		return m, fmt.Errorf("%w: %d bytes", ErrCorrupt, len(b))
	}
	d := decoder{flags: binary.BigEndian.Uint16(b), b: b[2:]}
	if d.flags&^knownFlags != 0 {
		return m, fmt.Errorf("%w: flags %#x", ErrCorrupt, d.flags)
	}
	before, middle, behind := m.before(), m.middle(), m.behind()
	d.shorts(before[:])
	m.DeliveryMode = d.octet(flagDeliveryMode)
	m.Priority = d.octet(flagPriority)
	d.shorts(middle[:])
	if t := d.take(flagTimestamp, 8); t != nil {
		m.Timestamp = time.Unix(int64(binary.BigEndian.Uint64(t)), 0).UTC()
	}
	d.shorts(behind[:])
	if d.bad {
		return Message{}, fmt.Errorf("%w: properties end early", ErrCorrupt)
	}
	m.Body = d.b
	return m, nil
}

// decoder reads the properties of a stored message.
type decoder struct {
	flags uint16
	b     []byte
	bad   bool // b ended too early
}

// take reads n bytes if the flag is set, else it returns nil.
func (d *decoder) take(flag uint16, n int) []byte {
	if d.flags&flag == 0 || d.bad {
		return nil
	}
	if n > len(d.b) {
		d.bad = true
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

// octet reads a number of one byte.
func (d *decoder) octet(flag uint16) uint8 {
	if v := d.take(flag, 1); v != nil {
		return v[0]
	}
	return 0
}

// shorts reads the strings of list that are flagged.
func (d *decoder) shorts(list []shortString) {
	for _, p := range list {
		if n := d.take(p.flag, 1); n != nil {
			*p.value = string(d.take(p.flag, int(n[0])))
		}
	}
}
