# The objects of one library. A make of its own, because the sources may have been fetched only a moment ago.
# Given: FROM (source folder), TO (object folder), FILES (patterns below FROM; * crosses folders), CC and FLAGS.
sources := $(sort $(shell find $(FROM) -false $(foreach f,$(FILES),-o -path '$(FROM)/$f')))
objects := $(sources:$(FROM)/%=$(TO)/%.o)

all: $(or $(objects),$(error no $(FILES) below $(FROM)))

$(TO)/%.o: $(FROM)/%
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) -c -o $@ $<
