from modeltranslation.translator import TranslationOptions, translator

from tests.packages.twins.models import Sign, SignFirst


class TitleOptions(TranslationOptions):
    fields = ("title",)


translator.register([Sign, SignFirst], TitleOptions)
