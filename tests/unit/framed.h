/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/framed.h - a role in its real frame and sandbox, to be hurt
 * (places.h).  Its parent and its other peers are one further process, which is
 * left in peace, and a client may be a third.  When the role has gone before all
 * is done, its parent starts it again, once, as the real one does. */
#ifndef TESTS_UNIT_FRAMED_H
#define TESTS_UNIT_FRAMED_H

#include "base/role.h"
#include "tests/unit/places.h"
#include "tests/unit/tls/fixture.h"

struct framed {
	enum role	 role;
	const struct role_ops *ops;
	const char	*conf;		/* parts of a bundle, base/conf_bundle.c */
	/* In the process of the role, when it has started; or NULL. */
	void		(*started)(struct role_env *);
	/* In that of the peers: at the beginning, */
	void		(*open)(struct loop *);
	/* when the role is ready, by its parent's link, */
	void		(*ready)(struct link *parent);
	/* and asked often: is there nothing more to do? */
	bool		(*over)(void);
	/* In a process of its own; or NULL. */
	void		(*client)(void);
};

/* places_main() within a test of Check, which the keys want. */
int	framed_main(const struct places *, int argc, char **argv);
extern struct fix framed_keys;

/* Memory that all processes see, in main(). */
void	*framed_share(size_t);

/* One life, hurt so; and one without its at-th allocation, in which case the
 * program is linked with allocs.c.  Number of allocations. */
void	framed_run(const struct framed *, struct step *);
unsigned	framed_run_short(const struct framed *, unsigned at,
		    struct step *);

/* In any of the processes: something is not as it must be.  The first one
 * counts. */
void	framed_wrong(const char *, ...) __attribute__((format(printf, 1, 2)));
/* After a run: nothing was wrong, and the role ended in order, or by the kill
 * that it got; else false, after saying so. */
bool	framed_look(const char *done, const struct step *);
bool	framed_again(void);	/* it was started again */

/* A link to the role as another role's, from ready() on. */
struct link	*framed_peer(struct link *parent, enum role,
		    const struct link_ops *);

#endif
