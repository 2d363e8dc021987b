// GNUstep's headers ask for this one of another runtime where blocks are on.
#include <Block.h>
