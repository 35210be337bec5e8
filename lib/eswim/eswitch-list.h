/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_LIST_H
#define ESWITCH_LIST_H 1

/* Doubly linked lists, as rings through a head. */

#include <stddef.h>

struct eswitch_list {
    struct eswitch_list *prev, *next;
};

/* The object of type TYPE whose MEMBER is at POINTER. */
#define ESWITCH_CONTAINER_OF(POINTER, TYPE, MEMBER) \
    ((TYPE *) (void *) ((char *) (POINTER) - offsetof(TYPE, MEMBER)))

static inline void
eswitch_list_init(struct eswitch_list *list)
{
    list->prev = list->next = list;
}

static inline void
eswitch_list_append(struct eswitch_list *list, struct eswitch_list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void
eswitch_list_remove(struct eswitch_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
}

#endif /* eswitch-list.h */
