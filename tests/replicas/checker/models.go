package main

import "github.com/anishathalye/porcupine"

// What an operation does to a state when it takes effect, and whether its answer is then right. An
// operation whose answer is unknown has happened or not: it has no return, so an order in which it
// comes after everything else is one in which it never did.
type step[State comparable] func(state State, one operation) (bool, State)

// The models by the first word of a subject.
var models = map[string]porcupine.Model{
	"client": modelOf(client{}, client.step),
	"log":    modelOf(log{}, log.step),
	"key":    modelOf(key{}, key.step),
}

func modelOf[State comparable](initial State, next step[State]) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return initial },
		Step: func(state, input, _ any) (bool, any) {
			return next(state.(State), input.(operation))
		},
	}
}

const unknown = "unknown"

type status string

const (
	absent   status = ""
	enabled  status = "enabled"
	disabled status = "disabled"
	deleted  status = "deleted"
)

// A password that was made for a client and never reached it.
const unheard = "a password that nobody knows"

// A client: the password that is right, and how many logins are on record.
type client struct {
	status   status
	password string
	logins   int
}

func (c client) step(one operation) (bool, client) {
	isThere := c.status == enabled || c.status == disabled
	switch one.Action {
	case "register":
		return c.register(one)
	case "authenticate":
		return c.authenticate(one)
	case "replace":
		return c.replace(one)
	case "count":
		return one.Answer == "counted" && one.Count == c.logins, c
	}
	if !isThere {
		return one.Answer == "not found" || one.Answer == unknown, c
	}
	switch one.Action {
	case "disable":
		c.status = disabled
	case "enable":
		c.status = enabled
	case "reset":
		c.password = one.Password
	case "delete":
		c = client{status: deleted} // its logins stay on record, as nobody's
	default:
		return false, c
	}
	return one.Answer == "done" || one.Answer == unknown, c
}

func (c client) register(one operation) (bool, client) {
	if c.status != absent {
		return one.Answer == "taken" || one.Answer == unknown, c
	}
	return one.Answer == "done" || one.Answer == unknown, client{enabled, heard(one.Password), 0}
}

func (c client) authenticate(one operation) (bool, client) {
	if !c.takes(one.Password) {
		return one.Answer == "refused" || one.Answer == unknown, c
	}
	c.logins++
	return one.Answer == "done" || one.Answer == unknown, c
}

func (c client) replace(one operation) (bool, client) {
	if !c.takes(one.Password) {
		return one.Answer == "refused" || one.Answer == unknown, c
	}
	c.password = heard(one.Replacement)
	return one.Answer == "done" || one.Answer == unknown, c
}

func (c client) takes(password string) bool {
	return c.status == enabled && c.password == password
}

func heard(password string) string {
	if password == "" {
		return unheard
	}
	return password
}

// What the authentication log holds of a client by itself: its rows come and go at moments of their own.
type log struct {
	rows      int
	isCleared bool
}

func (l log) step(one operation) (bool, log) {
	switch one.Action {
	case "record":
		if !l.isCleared {
			l.rows++
		}
		return true, l
	case "clear":
		return true, log{isCleared: true}
	case "count":
		return one.Count == l.rows, l
	}
	return false, l
}

// A key of the ring.
type key struct {
	isRevoked bool
}

func (k key) step(one operation) (bool, key) {
	switch one.Action {
	case "sign":
		return !k.isRevoked, k
	case "introspect":
		return (one.Answer == "done") != k.isRevoked, k
	case "revoke":
		return one.Answer == unknown || (one.Answer == "done") != k.isRevoked, key{true}
	}
	return false, k
}
