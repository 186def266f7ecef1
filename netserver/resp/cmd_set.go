package resp

// runSAdd is SADD key member [member …].
func runSAdd(c *call) error { return c.number(c.db.SAdd(c.str(1), c.strs(2)...)) }

// runSCard is SCARD key.
func runSCard(c *call) error { return c.number(c.db.SCard(c.str(1))) }

// runSInter is SINTER key [key …].
func runSInter(c *call) error { return c.members(c.db.SInter(c.strs(1)...)) }

// runSIsMember is SISMEMBER key member.
func runSIsMember(c *call) error { return c.yes(c.db.SIsMember(c.str(1), c.str(2))) }

// runSMembers is SMEMBERS key.
func runSMembers(c *call) error { return c.members(c.db.SMembers(c.str(1))) }

// runSPop is SPOP key [count].
func runSPop(c *call) error {
	switch len(c.args) {
	case 2:
		return c.text(c.db.SPop(c.str(1)))
	case 3:
		n, err := c.positive(2)
		if err != nil {
			return err
		}
		return c.members(c.db.SPopCount(c.str(1), n))
	}
	return errSyntax
}

// runSRem is SREM key member [member …].
func runSRem(c *call) error { return c.number(c.db.SRem(c.str(1), c.strs(2)...)) }
