/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/dpdk-guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int
set_up(const char *if_name)
{
    struct ifreq ifr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = 0;

    if (fd < 0) {
        return errno;
    }
    memset(&ifr, 0, sizeof ifr);
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", if_name);
    if (ioctl(fd, SIOCGIFFLAGS, &ifr)) {
        error = errno;
    } else {
        ifr.ifr_flags |= IFF_UP;
        error = ioctl(fd, SIOCSIFFLAGS, &ifr) ? errno : 0;
    }
    close(fd);
    return error;
}

/* Makes the TAP device 'if_name' in the caller's network namespace and sets it
 * up.  Returns 0 or a positive errno: EEXIST if there is such a device
 * already, even if it is a TAP device, since its user wouldn't expect us;
 * EINVAL if there can't be one; EPERM and ENOENT without the right to make
 * one, or /dev/net/tun.  After an error 'guest' has no device. */
int
eswim_guest_open(struct eswim_guest *guest, const char *if_name)
{
    struct ifreq ifr;
    int error;

    guest->fd = -1;
    if (strlen(if_name) >= sizeof guest->if_name || !if_name[0]
        || strchr(if_name, '%') || strchr(if_name, '/')) {
        return EINVAL;
    }
    if (if_nametoindex(if_name)) {
        return EEXIST;
    }
    guest->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (guest->fd < 0) {
        return errno;
    }

    memset(&ifr, 0, sizeof ifr);
    ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", if_name);
    error = ioctl(guest->fd, TUNSETIFF, &ifr) ? errno : set_up(if_name);
    if (error) {
        eswim_guest_close(guest);
        return error == EBUSY ? EEXIST : error;
    }
    strcpy(guest->if_name, if_name);
    return 0;
}

/* Deletes the device, if there is one. */
void
eswim_guest_close(struct eswim_guest *guest)
{
    if (guest->fd >= 0) {
        close(guest->fd);
        guest->fd = -1;
    }
}

/* Takes one frame that the guest has sent, of at most 'size' bytes, without
 * waiting.  Returns its length, or 0 if there is none, or -1 if the device is
 * gone: it is to be closed then. */
int
eswim_guest_receive(struct eswim_guest *guest, uint8_t *frame, size_t size)
{
    ssize_t n = read(guest->fd, frame, size);

    if (n >= 0) {
        return n;
    }
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

/* Gives the guest a frame of 'len' bytes.  Returns false if it was lost: the
 * device is gone, down, or has no room. */
bool
eswim_guest_send(struct eswim_guest *guest, const uint8_t *frame, size_t len)
{
    return guest->fd >= 0 && write(guest->fd, frame, len) == (ssize_t) len;
}
