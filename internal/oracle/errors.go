package oracle

// Error is what a command answers when it does not do what it was asked. Its
// kind is one of the sentinels below, which [errors.Is] finds; its text is that
// of Redis for this command.
type Error struct {
	name string
	text string
	kind *Error // nil for a sentinel
}

// The kinds of errors. The texts of ErrNotFound and ErrNotSet are empty where
// Redis replies nil.
var (
	ErrWrongType  = sentinel("ErrWrongType", "WRONGTYPE Operation against a key holding the wrong kind of value")
	ErrNotFound   = sentinel("ErrNotFound", "")
	ErrNotSet     = sentinel("ErrNotSet", "")
	ErrNotInteger = sentinel("ErrNotInteger", "ERR value is not an integer or out of range")
	ErrOverflow   = sentinel("ErrOverflow", "ERR increment or decrement would overflow")
	ErrSyntax     = sentinel("ErrSyntax", "ERR syntax error")
	ErrArity      = sentinel("ErrArity", "ERR wrong number of arguments")
	ErrNaN        = sentinel("ErrNaN", "ERR value is not a valid float")
	ErrNotFloat   = sentinel("ErrNotFloat", "ERR value is not a valid float")

	// ErrIndex is an offset, a bit or a count that is out of range.
	ErrIndex = sentinel("ErrIndex", "ERR index out of range")
	// ErrTooBig is a string that would be longer than 512 MB.
	ErrTooBig = sentinel("ErrTooBig", "ERR string exceeds maximum allowed size (proto-max-bulk-len)")
	// ErrExpire is a time to live that is not positive in SET, or too large.
	ErrExpire = sentinel("ErrExpire", "ERR invalid expire time")
	// ErrStreamID is an ID of a stream that cannot be read, or not be added.
	ErrStreamID = sentinel("ErrStreamID", "ERR Invalid stream ID specified as stream command argument")
	// ErrDB is a number of a database that there is not.
	ErrDB = sentinel("ErrDB", "ERR DB index is out of range")
	// ErrSameObject is a COPY or MOVE of a key to itself.
	ErrSameObject = sentinel("ErrSameObject", "ERR source and destination objects are the same")

	// ErrNoLFU is what OBJECT FREQ says.
	ErrNoLFU = sentinel("ErrNoLFU", "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.")

	// ErrNoQueue is a queue that was not declared.
	ErrNoQueue = sentinel("ErrNoQueue", "NOT_FOUND - no queue")
	// ErrUnknownOp is an [Op] that no command is for.
	ErrUnknownOp = sentinel("ErrUnknownOp", "ERR unknown command")
)

// sentinel makes a kind of errors with the text that it has mostly.
func sentinel(name, text string) *Error {
	return &Error{name: name, text: text}
}

// with is an error of the kind e with another text.
func (e *Error) with(text string) *Error {
	return &Error{name: e.name, text: text, kind: e}
}

// Error describes e; it is not the text of Redis.
func (e *Error) Error() string {
	if e.text == "" {
		return "oracle: " + e.name
	}
	return "oracle: " + e.name + ": " + e.text
}

// Unwrap returns the sentinel that e is a case of, nil for a sentinel.
func (e *Error) Unwrap() error {
	if e.kind == nil {
		return nil
	}
	return e.kind
}

// Name returns the name of the kind of e: "ErrWrongType".
func (e *Error) Name() string { return e.name }

// RedisText returns what Redis 7.0 says, with its leading code: "ERR syntax
// error". It is empty where Redis replies nil.
func (e *Error) RedisText() string { return e.text }

// arity is the error of the command that lacks arguments unless ok.
func arity(ok bool, name string) error {
	if ok {
		return nil
	}
	return ErrArity.with("ERR wrong number of arguments for '" + name + "' command")
}
