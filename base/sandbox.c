/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/sandbox.c - the order in which a role gives things up; see sandbox.h.
 *
 * Files before threads, since Landlock binds a thread and those it makes, not
 * its siblings.  Threads before the filter, so that the filter need not allow
 * to make any. */
#include "base/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/sandbox_priv.h"

#define LANDLOCK_NEWEST	1000

/* For debugging and tests, described in sealane(8): it can only take away. */
struct wish {
	bool		calls;
	unsigned	landlock;	/* ABI at most */
};

static struct wish
wish_of_environment(void)
{
	struct wish w = { .calls = true, .landlock = LANDLOCK_NEWEST };
	const char *said = getenv("SEALANE_SANDBOX");
	struct span rest = span_str(said);

	while (rest.n > 0) {
		struct span word = span_cut(&rest, ',');
		struct span value = word;
		struct span name = span_cut(&value, '=');
		unsigned long long abi;

		if (span_eq(word, SPAN_LIT("no-seccomp")))
			w.calls = false;
		else if (span_eq(name, SPAN_LIT("landlock")) &&
		    span_u64(value, LANDLOCK_NEWEST, &abi))
			w.landlock = (unsigned)abi;
	}
	return w;
}

/* What the C library would otherwise open files for later. */
static void
read_ahead(void)
{
	tzset();
}

int
sandbox_enter(enum role role, const struct conf *conf, struct loop *loop,
    struct sandbox *out, struct fault *f)
{
	const struct role_sandbox *r = sandbox_of(role);
	struct wish wish = wish_of_environment();
	int landlock, calls = 0;

	*out = (struct sandbox){ 0 };
	read_ahead();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return fault_sys(f, "no_new_privs");
	landlock = sandbox_files(r, conf, wish.landlock, f);
	if (landlock == -1)
		return -1;
	if (r->pool && loop_pool_start(loop) == -1)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no thread pool");
	if (wish.calls) {
		if (sandbox_trap(f) == -1)
			return -1;
		calls = sandbox_calls(sandbox_promises(role, conf), f);
	}
	if (calls == -1)
		return -1;
	out->landlock = (unsigned)landlock;
#ifdef SEALANE_SANITIZED
	out->calls = calls ? SANDBOX_CALLS_LOOSE : SANDBOX_CALLS_NONE;
#else
	out->calls = calls ? SANDBOX_CALLS_STRICT : SANDBOX_CALLS_NONE;
#endif
	return 0;
}

const char *
sandbox_calls_name(enum sandbox_calls calls)
{
	static const char *const names[] = {
		[SANDBOX_CALLS_NONE] = "none",
		[SANDBOX_CALLS_LOOSE] = "loose",
		[SANDBOX_CALLS_STRICT] = "strict",
	};

	return calls < sizeof names / sizeof names[0] ? names[calls] : "none";
}
