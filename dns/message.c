/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dns/message.c - see dns/message.h. */
#include <assert.h>

#include "dns/message.h"

#define HEADER_SIZE	12
#define CLASS_IN	1
#define NAME_WIRE_MAX	255	/* RFC 1035 sec 2.3.4 */

/* RFC 1035 sec 4.1.1 */
#define FLAG_QR		0x8000u
#define FLAG_OPCODE	0x7800u
#define FLAG_TC		0x0200u
#define FLAG_RCODE	0x000fu

struct packet {
	const uint8_t	*p;
	size_t		 n;
	size_t		 at;		/* next byte */
	const char	*why;		/* what is wrong, once something is */
};

struct header {
	unsigned	flags, qd, an, ns;
};

/* A name as read: `odd` when a byte of it is in no host name. */
struct name {
	char	text[DNS_NAME_SIZE];
	bool	odd;
};

struct record {
	struct name	owner;
	unsigned	type, class;
	uint32_t	ttl;
	size_t		data, end;	/* offsets */
};

static int
bad(struct packet *k, const char *why)
{
	k->why = why;
	return -1;
}

static int
read_u8(struct packet *k, unsigned *v)
{
	if (k->n - k->at < 1)
		return bad(k, "cut short");
	*v = k->p[k->at++];
	return 0;
}

static int
read_u16(struct packet *k, unsigned *v)
{
	if (k->n - k->at < 2)
		return bad(k, "cut short");
	*v = (unsigned)(k->p[k->at] << 8 | k->p[k->at + 1]);
	k->at += 2;
	return 0;
}

static int
read_u32(struct packet *k, uint32_t *v)
{
	unsigned hi, lo;

	if (read_u16(k, &hi) == -1 || read_u16(k, &lo) == -1)
		return -1;
	*v = (uint32_t)hi << 16 | lo;
	return 0;
}

/* ---- names, RFC 1035 sec 3.1 and 4.1.4 ---- */

static int
name_label(struct packet *k, unsigned len, struct name *out, size_t *used)
{
	size_t at = *used;

	if (k->n - k->at < len)
		return bad(k, "cut short in a name");
	if (at > 0)
		out->text[at++] = '.';
	/* On the wire: a length byte for each dot, one more, a final zero. */
	if (at + len + 2 > NAME_WIRE_MAX)
		return bad(k, "name too long");
	for (unsigned i = 0; i < len; i++) {
		char c = ascii_lower((char)k->p[k->at++]);

		if (!dns_name_valid(span_of(&c, 1)))
			out->odd = true;
		out->text[at++] = c;
	}
	*used = at;
	return 0;
}

static int
name_read(struct packet *k, struct name *out)
{
	size_t lowest = k->at, behind = 0, used = 0;
	unsigned len, low;

	out->odd = false;
	for (;;) {
		if (read_u8(k, &len) == -1)
			return -1;
		if (len == 0)
			break;
		if (len < 0x40) {
			if (name_label(k, len, out, &used) == -1)
				return -1;
			continue;
		}
		if (len < 0xc0)
			return bad(k, "unknown label type");
		if (read_u8(k, &low) == -1)
			return -1;
		if (behind == 0)
			behind = k->at;
		k->at = (len & 0x3fu) << 8 | low;
		/* Strictly downwards: ends a loop without counting jumps. */
		if (k->at >= lowest || k->at < HEADER_SIZE)
			return bad(k, "compression pointer not backwards");
		lowest = k->at;
	}
	out->text[used] = '\0';
	if (behind != 0)
		k->at = behind;
	return 0;
}

static bool
name_is(const struct name *n, const char *text)
{
	return !n->odd && strcmp(n->text, text) == 0;
}

/* A name that must fill the data of its record. */
static int
name_to_end(struct packet *k, const struct record *r, struct name *out)
{
	if (name_read(k, out) == -1)
		return -1;
	return k->at == r->end ? 0 : bad(k, "record length is wrong");
}

/* ---- records ---- */

/* Leaves the position behind the record. */
static int
record_read(struct packet *k, struct record *r)
{
	unsigned len;

	if (name_read(k, &r->owner) == -1 || read_u16(k, &r->type) == -1 ||
	    read_u16(k, &r->class) == -1 || read_u32(k, &r->ttl) == -1 ||
	    read_u16(k, &len) == -1)
		return -1;
	if (k->n - k->at < len)
		return bad(k, "record cut short");
	if (r->ttl > INT32_MAX)
		r->ttl = 0;		/* RFC 2181 sec 8 */
	r->data = k->at;
	r->end = k->at += len;
	return 0;
}

static int
record_address(struct packet *k, const struct record *r, struct dns_rr *rr)
{
	size_t want = r->type == DNS_TYPE_A ? 4 : 16;

	if (r->end - r->data != want)
		return bad(k, "address of a wrong length");
	memcpy(rr->ip, k->p + r->data, want);
	return 0;
}

static int
record_name(struct packet *k, const struct record *r, struct dns_rr *rr)
{
	struct name target;
	unsigned pref;

	k->at = r->data;
	if (r->type == DNS_TYPE_MX) {
		if (read_u16(k, &pref) == -1)
			return -1;
		rr->pref = (uint16_t)pref;
	}
	if (name_to_end(k, r, &target) == -1)
		return -1;
	(void)span_copy(span_str(target.odd ? DNS_NAME_ODD : target.text),
	    rr->name, sizeof(rr->name));
	return 0;
}

/* RFC 1035 sec 3.3.14; joined without anything between the strings. */
static int
record_text(struct packet *k, const struct record *r, struct dns_rr *rr)
{
	char joined[DNS_RR_DATA_MAX];
	size_t n = 0;
	unsigned len;

	for (k->at = r->data; k->at < r->end; k->at += len) {
		if (read_u8(k, &len) == -1)
			return -1;
		if (r->end - k->at < len)
			return bad(k, "string cut short");
		if (len > sizeof(joined) - n)
			return bad(k, "record too long");
		memcpy(joined + n, k->p + k->at, len);
		n += len;
	}
	return dns_rr_set_data(rr, span_of(joined, n)) == 0 ? 0 :
	    bad(k, "no memory");
}

/* As it is; what it means is said in dane/. */
static int
record_raw(struct packet *k, const struct record *r, struct dns_rr *rr)
{
	return dns_rr_set_data(rr, span_of(k->p + r->data,
	    r->end - r->data)) == 0 ? 0 : bad(k, "record too long");
}

static int
record_take(struct packet *k, const struct record *r, struct dns_answer *out)
{
	struct dns_rr *rr = dns_answer_add(out);

	if (rr == NULL)
		return bad(k, "too many records");
	rr->type = (uint16_t)r->type;
	rr->ttl = r->ttl;
	switch (r->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		return record_address(k, r, rr);
	case DNS_TYPE_TXT:
		return record_text(k, r, rr);
	case DNS_TYPE_TLSA:
	case DNS_TYPE_SOA:
	case DNS_TYPE_DNSKEY:
		return record_raw(k, r, rr);
	default:
		return record_name(k, r, rr);
	}
}

/* ---- the sections ---- */

static int
read_header(struct packet *k, struct header *h)
{
	unsigned id, ar;

	if (read_u16(k, &id) == -1 || read_u16(k, &h->flags) == -1 ||
	    read_u16(k, &h->qd) == -1 || read_u16(k, &h->an) == -1 ||
	    read_u16(k, &h->ns) == -1 || read_u16(k, &ar) == -1)
		return -1;
	if ((h->flags & FLAG_QR) == 0 || (h->flags & FLAG_OPCODE) != 0)
		return bad(k, "not an answer to a query");
	if ((h->flags & FLAG_TC) != 0)
		return bad(k, "truncated answer");
	return h->qd == 1 ? 0 : bad(k, "not one question");
}

static int
read_question(struct packet *k, const char *name, unsigned type)
{
	struct name q;
	unsigned qtype, qclass;

	if (name_read(k, &q) == -1 || read_u16(k, &qtype) == -1 ||
	    read_u16(k, &qclass) == -1)
		return -1;
	if (!name_is(&q, name) || qtype != type || qclass != CLASS_IN)
		return bad(k, "answer to another question");
	return 0;
}

/* One walk over the answer section for the owner out->canonical: takes the
 * records of the asked type, and notes an alias in `alias` ("" if none). */
static int
read_answers(struct packet *k, const struct header *h, unsigned type,
    struct dns_answer *out, char alias[DNS_NAME_SIZE])
{
	struct record r;
	struct name target;

	alias[0] = '\0';
	for (unsigned i = 0; i < h->an; i++) {
		if (record_read(k, &r) == -1)
			return -1;
		if (r.class != CLASS_IN || !name_is(&r.owner, out->canonical))
			continue;
		if (r.type == type) {
			if (record_take(k, &r, out) == -1)
				return -1;
		} else if (r.type == DNS_TYPE_CNAME) {
			k->at = r.data;
			if (name_to_end(k, &r, &target) == -1)
				return -1;
			if (target.odd || target.text[0] == '\0')
				return bad(k, "alias of no host name");
			if (alias[0] != '\0')
				return bad(k, "two aliases for one name");
			memcpy(alias, target.text, DNS_NAME_SIZE);
		} else {
			continue;
		}
		if (r.ttl < out->ttl)
			out->ttl = r.ttl;
		k->at = r.end;
	}
	return 0;
}

/* Aliases may stand in any order, so that each step walks the section again;
 * RFC 1034 sec 3.6.2 says they should be in order, not that they are. */
static int
follow(struct packet *k, const struct header *h, unsigned type,
    struct dns_answer *out)
{
	char alias[DNS_NAME_SIZE];
	size_t start = k->at;

	for (unsigned step = 0; step <= DNS_MESSAGE_CNAMES; step++) {
		k->at = start;
		if (read_answers(k, h, type, out, alias) == -1)
			return -1;
		if (alias[0] == '\0')
			return 0;
		if (out->n > 0)
			return bad(k, "alias beside other records");
		memcpy(out->canonical, alias, DNS_NAME_SIZE);
	}
	return bad(k, "chain of aliases too long");
}

/* RFC 2308 sec 5: a denial lives for the lesser of the SOA's own TTL and its
 * MINIMUM field.  Without an SOA nothing says how long. */
static int
read_authority(struct packet *k, const struct header *h, uint32_t *denial)
{
	struct record r;
	struct name skip;
	uint32_t field = 0;

	*denial = 0;
	for (unsigned i = 0; i < h->ns; i++) {
		if (record_read(k, &r) == -1)
			return -1;
		if (r.type != DNS_TYPE_SOA || r.class != CLASS_IN)
			continue;
		k->at = r.data;
		if (name_read(k, &skip) == -1 || name_read(k, &skip) == -1)
			return -1;
		for (int j = 0; j < 5; j++)
			if (read_u32(k, &field) == -1)
				return -1;
		if (k->at != r.end)
			return bad(k, "record length is wrong");
		*denial = field < r.ttl ? field : r.ttl;
	}
	return 0;
}

static int
parse(struct packet *k, const char *name, uint16_t type,
    struct dns_answer *out)
{
	struct header h;
	uint32_t denial;

	if (read_header(k, &h) == -1 || read_question(k, name, type) == -1)
		return -1;
	out->ttl = INT32_MAX;
	(void)span_copy(span_str(name), out->canonical, DNS_NAME_SIZE);
	if (follow(k, &h, type, out) == -1 ||
	    read_authority(k, &h, &denial) == -1)
		return -1;
	out->rcode = (uint16_t)(h.flags & FLAG_RCODE);
	if (out->rcode != DNS_RCODE_NOERROR && out->n > 0)
		return bad(k, "records in a denial");
	if (out->n == 0 && denial < out->ttl)
		out->ttl = denial;
	out->status = DNS_INSECURE;
	return 0;
}

int
dns_message_parse(struct span packet, const char *name, uint16_t type,
    struct dns_answer *out)
{
	struct packet k = { .p = (const uint8_t *)packet.p, .n = packet.n };

	assert(dns_question_valid(span_str(name), type));
	if (parse(&k, name, type, out) == 0)
		return 0;
	dns_answer_fail(out, DNS_ERROR, k.why);
	return -1;
}
