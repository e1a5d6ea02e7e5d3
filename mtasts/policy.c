/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* mtasts/policy.c - see policy.h. */
#include "mtasts/policy.h"

#include "dns/name.h"
#include "mtasts/syntax.h"

static const char *const mode_names[] = {
	[STS_NONE] = "none",
	[STS_TESTING] = "testing",
	[STS_ENFORCE] = "enforce",
};

const char *
sts_mode_name(enum sts_mode m)
{
	return mode_names[m];
}

struct parser {
	struct sts_policy *policy;
	bool		   version, mode, max_age;	/* were there */
	const char	  *wrong;
};

/* ---- values ---- */

static bool
take_version(struct parser *p, struct span value)
{
	(void)p;
	return span_eq(value, SPAN_LIT("STSv1"));
}

static bool
take_mode(struct parser *p, struct span value)
{
	for (enum sts_mode m = 0; m < STS_MODES; m++)
		if (span_eq(value, span_str(mode_names[m]))) {
			p->policy->mode = m;
			return true;
		}
	return false;
}

static bool
take_max_age(struct parser *p, struct span value)
{
	unsigned long long n;

	if (value.n > 10 || !span_u64(value, 9999999999ull, &n))
		return false;
	p->policy->max_age = n < STS_AGE_MAX ? (uint32_t)n : STS_AGE_MAX;
	return true;
}

/* A host or "*." and a domain.  Addresses are none: no certificate of a mail
 * host names one. */
static bool
take_mx(struct parser *p, struct span value)
{
	const struct span star = SPAN_LIT("*.");
	bool wild = span_istarts(value, star);
	char name[DNS_NAME_SIZE];

	if (dns_name_normalize(span_skip(value, wild ? star.n : 0), name) != 0 ||
	    dns_name_numeric(span_str(name)))
		return false;
	p->policy->nmx++;
	return buf_printf(&p->policy->mx, "%s%s\n", wild ? "*." : "", name) == 0;
}

static const struct field {
	struct span	key;
	size_t		seen;		/* offset of the flag; 0: may repeat */
	bool		(*take)(struct parser *, struct span value);
	const char	*wrong;
} fields[] = {
	{ { "version", 7 }, offsetof(struct parser, version), take_version,
	    "version is not STSv1" },
	{ { "mode", 4 }, offsetof(struct parser, mode), take_mode,
	    "mode is not enforce, testing or none" },
	{ { "max_age", 7 }, offsetof(struct parser, max_age), take_max_age,
	    "max_age is not a number of seconds" },
	{ { "mx", 2 }, 0, take_mx, "mx is not a host or *.domain" },
};

/* ---- lines ---- */

static const struct field *
field_find(struct span key)
{
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (span_eq(key, fields[i].key))
			return &fields[i];
	return NULL;
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\t')
			return true;
	return false;
}

/* Of a key that comes twice the first counts, but for mx; unknown ones are
 * there for later versions. */
static bool
take_line(struct parser *p, struct span line)
{
	struct span value = line, key = span_cut(&value, ':');
	const struct field *f = field_find(key);
	bool *seen;

	if (key.n == line.n || !sts_key_valid(key) || has_control(value)) {
		p->wrong = "not a key and a value";
		return false;
	}
	if (f == NULL)
		return true;
	if (f->seen != 0) {
		seen = (bool *)((char *)p + f->seen);
		if (*seen)
			return true;
		*seen = true;
	}
	p->wrong = f->wrong;
	return f->take(p, span_trim(value));
}

static const char *
missing(const struct parser *p)
{
	return !p->version ? "version is missing" :
	    !p->mode ? "mode is missing" :
	    !p->max_age ? "max_age is missing" :
	    p->policy->nmx == 0 && p->policy->mode != STS_NONE ?
	    "mx is missing" : NULL;
}

static int
refuse(struct sts_policy *policy, struct fault *f, unsigned line,
    const char *why)
{
	sts_policy_free(policy);
	if (line == 0)
		return fault_set(f, FAULT_PERM, 0, "5.7.0", "%s", why);
	return fault_set(f, FAULT_PERM, 0, "5.7.0", "line %u: %s", line, why);
}

int
sts_policy_parse(struct span text, struct sts_policy *policy, struct fault *f)
{
	struct parser p = { .policy = policy };

	*policy = (struct sts_policy){ .mode = STS_NONE };
	buf_init(&policy->mx, (size_t)STS_POLICY_MAX * 4);
	if (text.n > STS_POLICY_MAX)
		return refuse(policy, f, 0, "longer than 64 KiB");
	for (unsigned n = 1; text.n > 0; n++) {
		struct span line = span_cut(&text, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		line = span_trim(line);
		if (line.n > 0 && !take_line(&p, line))
			return refuse(policy, f, n, p.wrong);
	}
	if (missing(&p) != NULL)
		return refuse(policy, f, 0, missing(&p));
	return 0;
}

void
sts_policy_free(struct sts_policy *policy)
{
	buf_free(&policy->mx);
	policy->nmx = 0;
}

/* ---- matching, sec 4.1 ---- */

/* "*" stands for exactly one label, the first. */
static bool
pattern_matches(struct span pattern, struct span host)
{
	if (!span_istarts(pattern, SPAN_LIT("*.")))
		return span_ieq(pattern, host);
	return span_cut(&host, '.').n > 0 && host.n > 0 &&
	    span_ieq(span_skip(pattern, 2), host);
}

bool
sts_policy_allows(const struct sts_policy *policy, struct span host)
{
	struct span rest = buf_get(&policy->mx);

	while (rest.n > 0)
		if (pattern_matches(span_cut(&rest, '\n'), host))
			return true;
	return false;
}
